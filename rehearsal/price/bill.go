package price

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// Cents are hundredths of a currency's unit.
type Cents int64

// String formats an amount as 1,234.56.
func (c Cents) String() string {
	sign, n := "", int64(c)
	if n < 0 {
		sign, n = "-", -n
	}
	whole := fmt.Sprint(n / 100)
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	return fmt.Sprintf("%s%s.%02d", sign, whole, n%100)
}

// Signed formats an amount with its sign: +1.00, -1.00 or 0.00.
func (c Cents) Signed() string {
	if c > 0 {
		return "+" + c.String()
	}
	return c.String()
}

// Concern is the purpose of a row.
type Concern string

// The concerns, in the order of a bill.
const (
	Nodes         Concern = "nodes"
	ControlPlane  Concern = "control plane"
	Database      Concern = "database"
	Network       Concern = "network"
	LoadBalancing Concern = "load balancing"
	Storage       Concern = "storage"
	Secrets       Concern = "keys and secrets"
	Observability Concern = "observability"
	Unknown       Concern = "unknown"
)

// Concerns lists the concerns in the order of a bill.
func Concerns() []Concern {
	return []Concern{Nodes, ControlPlane, Database, Network, LoadBalancing, Storage, Secrets, Observability, Unknown}
}

// Row is one line of a bill.
type Row struct {
	Concern Concern
	// Resource is the resources' name for people, and Count their number.
	Resource string
	Count    int
	Item     string
	// Unit is the price's unit, and Quantity the number of units in a month.
	Unit     string
	Quantity float64
	// Price has no currency if none is known.
	Price Price
	Month Cents
	// Assumption says on what the quantity is based if the state does not show it.
	Assumption string
}

// Priced reports whether the price of the row is known.
func (r Row) Priced() bool { return r.Price.Currency != "" }

// String names the row.
func (r Row) String() string { return fmt.Sprintf("%s: %s", r.Resource, r.Item) }

// Bill is the cost of a month of a state.
type Bill struct {
	Region, Currency string
	Rows             []Row
}

// Total is the sum of the rows with a known price.
func (b *Bill) Total() Cents { return b.sum(func(Row) bool { return true }) }

// Of is the sum of a concern's rows.
func (b *Bill) Of(c Concern) Cents { return b.sum(func(r Row) bool { return r.Concern == c }) }

func (b *Bill) sum(counts func(Row) bool) Cents {
	var total Cents
	for _, r := range b.Rows {
		if counts(r) {
			total += r.Month
		}
	}
	return total
}

// Unpriced lists the rows without a known price. None of them is in the total.
func (b *Bill) Unpriced() []Row {
	var all []Row
	for _, r := range b.Rows {
		if !r.Priced() {
			all = append(all, r)
		}
	}
	return all
}

// Old lists the rows with a price that was read more than a year before a day.
func (b *Bill) Old(today time.Time) []Row {
	var all []Row
	for _, r := range b.Rows {
		if r.Priced() && r.Price.Old(today) {
			all = append(all, r)
		}
	}
	return all
}

// Change is a row that differs between two bills, with its old and new cost.
type Change struct {
	Row
	Before, After Cents
}

// id identifies the same row in two bills.
type id struct {
	concern        Concern
	resource, item string
}

func (r Row) id() id { return id{r.Concern, r.Resource, r.Item} }

// lines returns the rows by id; rows with the same id are added.
func (b *Bill) lines() map[id]Row {
	all := map[id]Row{}
	for _, r := range b.Rows {
		if had, ok := all[r.id()]; ok {
			r.Count, r.Quantity, r.Month = r.Count+had.Count, r.Quantity+had.Quantity, r.Month+had.Month
		}
		all[r.id()] = r
	}
	return all
}

// Since lists the rows with another amount than in the bill before, and those without a price and with another
// quantity.
func (b *Bill) Since(before *Bill) []Change {
	was, now := before.lines(), b.lines()
	var all []Change
	for _, r := range slices.Concat(b.Rows, before.Rows) {
		line, is := now[r.id()]
		old, had := was[r.id()]
		if !is && !had {
			continue // compared above
		}
		delete(was, r.id())
		delete(now, r.id())
		if !is {
			line = old
			line.Quantity, line.Month = 0, 0
		}
		if line.Month != old.Month || !line.Priced() && line.Quantity != old.Quantity {
			all = append(all, Change{line, old.Month, line.Month})
		}
	}
	return all
}

// meter collects the rows of a state.
type meter struct {
	*state.State
	region string
	// usage is the assumed use in the state's outputs.
	usage state.Object
	rows  []Row
	// nodes is the number of instances or tasks that run servers.
	nodes int
}

// Of prices a state.
func Of(s *state.State) *Bill {
	m := &meter{State: s, region: regionOf(s), usage: state.AsObject(outputs(s)["usage"])}
	for _, r := range s.Live {
		if r.External || strings.HasPrefix(r.Type, "pulumi:") {
			continue
		}
		m.resource(r)
	}
	m.elsewhere()
	m.traffic()
	m.logs()
	m.customMetrics()
	slices.SortStableFunc(m.rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(slices.Index(Concerns(), a.Concern), slices.Index(Concerns(), b.Concern)),
			cmp.Compare(b.Month, a.Month), cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Item, b.Item))
	})
	return &Bill{Region: m.region, Currency: currency(m.region), Rows: m.rows}
}

// regionOf returns the Region of the stack's AWS provider.
func regionOf(s *state.State) string {
	for _, r := range s.All {
		if r.Type == "pulumi:providers:aws" && r.Text("region") != "" {
			return r.Text("region")
		}
	}
	return ""
}

// outputs returns the stack's outputs.
func outputs(s *state.State) map[string]any {
	for _, r := range s.All {
		if r.Type == "pulumi:pulumi:Stack" {
			return r.Outputs
		}
	}
	return nil
}

// resource adds the rows of one resource.
func (m *meter) resource(r *state.Resource) {
	b, known := billing[r.Type]
	switch {
	case !known && strings.HasPrefix(r.Type, "kubernetes:"):
		// Kubernetes objects run on nodes, which have their own rows.
	case !known:
		m.add(Unknown, state.Words(r.Type), 1, "", "the resource", 1, "nothing here knows what "+r.Type+" costs")
	case b.count != nil:
		b.count(m, r)
	}
}

// elsewhere names the nodes' databases that are not the stack's. Their owner pays for them.
func (m *meter) elsewhere() {
	if len(m.Databases()) > 0 {
		return
	}
	hosts := state.AsObject(outputs(m.State)["databaseEndpoints"])
	for _, name := range slices.Sorted(maps.Keys(hosts)) {
		m.add(Database, "existing database "+hosts.Text(name), 1, "", "its owner's bill", 1, "it is not this stack's")
	}
}

// add adds to the row of an item. Quantity is in the unit of the price; a row without a price has the item's name.
func (m *meter) add(c Concern, resource string, count int, service, item string, quantity float64, assumption string) {
	if quantity <= 0 {
		return
	}
	i := slices.IndexFunc(m.rows, func(r Row) bool {
		return r.Concern == c && r.Resource == resource && r.Item == item && r.Assumption == assumption
	})
	if i < 0 {
		i = len(m.rows)
		p, known := Find(m.region, service, item)
		row := Row{Concern: c, Resource: resource, Item: item, Assumption: assumption}
		if known {
			row.Price, row.Unit = p, p.Unit
		}
		m.rows = append(m.rows, row)
	}
	r := &m.rows[i]
	r.Count, r.Quantity = r.Count+count, r.Quantity+quantity
	r.Month = Cents(math.Round(r.Quantity * r.Price.Amount / units(r.Price.Unit) * 100))
}

// units is the number of counted things in one unit of a price, such as 10,000 for "10,000 requests".
func units(unit string) float64 {
	number, _, _ := strings.Cut(unit, " ")
	if n := state.Number(strings.ReplaceAll(number, ",", ""), 0); n > 0 {
		return n
	}
	return 1
}

// used adds to a row with an assumed quantity, from a key of the stack file's usage.
func (m *meter) used(c Concern, resource, service, item, key string) {
	if n, told := m.usage.Int(key); told {
		m.add(c, resource, 1, service, item, float64(n), fmt.Sprintf("usage.%s: %d", key, n))
		return
	}
	// Without an assumption, the quantity and the amount are not known.
	m.rows = append(m.rows, Row{Concern: c, Resource: resource, Count: 1, Item: item, Assumption: "usage." + key + " is not among the stack's outputs"})
}

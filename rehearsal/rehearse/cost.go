package rehearse

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wso2is-aws/wso2is/rehearsal/price"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// costs adds the monthly cost of the state and possible savings; before is nil without an earlier rehearsal.
func costs(p *page, now, before *state.State, today time.Time) {
	bill := price.Of(now)
	if len(bill.Rows) == 0 {
		return
	}
	p.add(heading("Cost"), paragraph("**"+monthly(bill)+"** These are AWS's list prices on demand, without tax, discounts and free tiers. A "+
		"month has 730 hours, and costs that depend on use rest on the assumption beside them, which `wso2is:usage` sets. `rehearsal/price/prices.csv` names the source of each "+
		"price."))
	table := grid{head: []string{"For", "A month", "Of it unpriced"}}
	for _, c := range price.Concerns() {
		var missing []string
		has := false
		for _, r := range bill.Rows {
			if has = has || r.Concern == c; r.Concern == c && !r.Priced() {
				missing = append(missing, r.String())
			}
		}
		if has {
			table.rows = append(table.rows, []cell{{text: string(c)}, {text: bill.Of(c).String()}, {text: strings.Join(missing, ", ")}})
		}
	}
	table.rows = append(table.rows, []cell{{text: "**total**"}, {text: "**" + bill.Total().String() + "**"}, {}})
	p.add(table, fold{"Every row of the bill", []block{rowsOf(bill)}})
	if before != nil {
		p.add(sinceLast(bill, price.Of(before))...)
	}
	if old := bill.Old(today); len(old) > 0 {
		names := make([]string, len(old))
		for i, r := range old {
			names[i] = r.Item + " (" + r.Price.AsOf + ")"
		}
		p.add(paragraph("**Prices older than a year:** " + strings.Join(names, ", ") + ". `make prices` reads AWS's price list."))
	}
	savings(p, now, bill.Currency)
}

// monthly says the cost of a month in a sentence, and names the resources without a price.
func monthly(bill *price.Bill) string {
	text := fmt.Sprintf("A month in %s costs about %s %s.", bill.Region, bill.Currency, bill.Total())
	missing := bill.Unpriced()
	if len(missing) == 0 {
		return text
	}
	names := make([]string, len(missing))
	for i, r := range missing {
		names[i] = r.String()
	}
	slices.Sort(names)
	return fmt.Sprintf("%s Not in it, because no price is known here: %s.", text, strings.Join(slices.Compact(names), ", "))
}

// rowsOf returns the bill's rows.
func rowsOf(bill *price.Bill) grid {
	var rows [][]string
	for _, r := range bill.Rows {
		unit, amount, month, read := r.Unit, "unpriced", "unpriced", ""
		if r.Priced() {
			amount, month, read = fmt.Sprint(r.Price.Amount), r.Month.String(), r.Price.AsOf+", "+r.Price.Source
		}
		rows = append(rows, []string{
			string(r.Concern), fmt.Sprintf("%s ×%d", r.Resource, r.Count), r.Item, fmt.Sprintf("%.6g", r.Quantity), unit, amount, month, r.Assumption, read,
		})
	}
	return gridOf(rows, "For", "Resource", "What", "Quantity", "Price per", bill.Currency, "A month", "Assumed", "Price of")
}

// sinceLast says the difference in monthly cost from the last rehearsal.
func sinceLast(now, before *price.Bill) []block {
	if now.Currency != before.Currency {
		return nil
	}
	changes := now.Since(before)
	if len(changes) == 0 {
		return []block{paragraph("The same as at the last rehearsal.")}
	}
	var rows [][]string
	for _, c := range changes {
		row := []string{c.String(), c.Before.String(), c.After.String(), (c.After - c.Before).Signed()}
		if !c.Priced() {
			row = []string{c.String(), "", "unpriced", ""}
		}
		rows = append(rows, row)
	}
	return []block{
		paragraph(fmt.Sprintf("**%s** a month since the last rehearsal:", (now.Total() - before.Total()).Signed())),
		gridOf(rows, "What", "Before", "Now", "Difference"),
	}
}

// savings adds the three largest savings.
func savings(p *page, now *state.State, currency string) {
	found := price.Savings(now, 3)
	if len(found) == 0 {
		return
	}
	var rows [][]string
	for _, s := range found {
		change := ""
		if s.Change != "" {
			change = "`CHANGE=" + s.Change + "`"
		}
		rows = append(rows, []string{s.Edit, s.Month.String(), s.Gives, change})
	}
	p.add(paragraph("Possible savings in the stack file, one at a time:"),
		gridOf(rows, "Edit", currency+" a month less", "Disadvantage", "Rehearsed by"))
}

// Package cloud is an AWS account in memory and in one journal file. It is a Pulumi provider that accepts, refuses,
// replaces and deletes resources as the services do, without a network.
//
// Its rules are a table: a row for each resource type (Type), in one file for each service, and one interpreter. The
// interpreter checks the rows and nothing else. Nothing is started, so the inside of an instance, a database or a load
// balancer is not simulated.
package cloud

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
)

// Options describe the account and its content at the start.
type Options struct {
	// Account is the account id. If it is empty, the configuration's account is used, or 123456789012.
	Account string
	// Configuration is the stack's, by full key. A provider must receive its keys of the AWS provider.
	Configuration map[string]string
	// Journal is the file that stores the account between commands; without one it is in memory only. Like the account
	// it contains secret values, and only its owner can read it.
	Journal string
	// Existing are resources that are older than the stack, such as an existing VPC.
	Existing []Resource
	// Fail decides whether a call fails. It is called once for each create, update and delete; nil for never.
	Fail func(Operation) Fault
	// Several says that the program is a team's own. It may have several AWS providers, each with its own region, account and keys.
	Several bool
}

// Operation is a call that can fail.
type Operation struct{ Verb, Type, Name, URN string }

// Fault is a failure. The zero value is none.
type Fault struct {
	// Message is the error; empty for no failure.
	Message string
	// Done says that the service did the work although the call failed.
	Done bool
}

// Resource is a resource of the account.
type Resource struct {
	Token string `json:"token"`
	ID    string `json:"id"`
	// Name and URN are Pulumi's. They are empty for existing resources, and for those that a service made itself.
	Name string `json:"name,omitempty"`
	URN  string `json:"urn,omitempty"`
	// Owner is the id of the resource that made this one, such as an Auto Scaling group.
	Owner   string `json:"owner,omitempty"`
	Inputs  Object `json:"inputs"`
	Outputs Object `json:"outputs"`
	// Secrets names the properties that hold secrets.
	Secrets []string `json:"secrets,omitempty"`
	// Lost says that the call that made it got no answer.
	Lost bool `json:"lost,omitempty"`
	// Existing says that the stack does not own it.
	Existing bool `json:"existing,omitempty"`
	// Earlier are the inputs of its earlier versions, if the service keeps them.
	Earlier []Object `json:"earlier,omitempty"`
	// Contents are its data. A copy has its source's data.
	Contents string `json:"contents,omitempty"`
}

func (r *Resource) describe() string {
	switch {
	case r.Name != "":
		return fmt.Sprintf("%s %q (%s)", kind(r.Token), r.Name, r.ID)
	case r.Owner != "":
		return fmt.Sprintf("%s %s of %s", kind(r.Token), r.ID, r.Owner)
	}
	return kind(r.Token) + " " + r.ID
}

// Cloud is the account, as one AWS provider sees it.
type Cloud struct {
	*shared
	*regional

	defaultTags Object
	// provider is the stack's configuration of the AWS provider, identity the principal of its calls.
	provider Object
	identity identity
}

// shared is the part of the cloud that all places have in common.
type shared struct {
	mu sync.Mutex
	// several says that a program may have several AWS providers, places are their regions and accounts.
	several bool
	places  []*Cloud
	// unknown are the types and functions of a team's program that have no row in the table, with the names of resources.
	unknown map[string]map[string]bool
	// lenient says that references to resources that do not exist are accepted.
	lenient bool
	// uses are the engine's AWS providers by their connections.
	uses map[string]*providerUse
	fail func(Operation) Fault
	// crashes decides which user data or containers start a server that never serves; nil for none.
	crashes func(definition string) bool
	alter   func(token, name string, inputs Object)
	// elsewhere are copies and vaults that were made in other Regions and accounts, crossAccount says that the organization lets its
	// accounts copy backups to each other.
	elsewhere    []Resource
	crossAccount bool
}

// regional is one region of one account.
type regional struct {
	account, region string
	resources       map[string]*Resource
	// made counts the resources of each URN, so that ids are the same in every rehearsal but are never reused.
	made    map[string]int
	journal *os.File
	// retired has names that AWS keeps for some time after a delete, with the reason.
	retired map[string]string
	// checks counts the checks by kind.
	checks map[string]int
	// global has the resources that all regions of the account share. It is nil in the first region, which has them itself.
	global *regional
}

// New opens the account and replays its journal.
func New(o Options) (*Cloud, error) {
	c := &Cloud{
		shared: &shared{fail: o.Fail, uses: map[string]*providerUse{}, several: o.Several, unknown: map[string]map[string]bool{}}, regional: newRegional(o.Account, ""),
		provider: providerConfig(o.Configuration),
	}
	c.places = []*Cloud{c}
	if c.account == "" {
		c.account = AccountOf(o.Configuration)
	}
	for _, r := range o.Existing {
		if _, err := lookup(r.Token); err != nil {
			return nil, fmt.Errorf("existing %s: %w", r.ID, err)
		}
		c.adopt(r)
	}
	if o.Journal == "" {
		return c, nil
	}
	f, err := os.OpenFile(o.Journal, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the offline cloud's journal: %w", err)
	}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var e entry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return nil, errors.Join(fmt.Errorf("reading the offline cloud's journal: %w", err), f.Close())
		}
		c.replay(e)
	}
	if err := lines.Err(); err != nil {
		return nil, errors.Join(fmt.Errorf("reading the offline cloud's journal: %w", err), f.Close())
	}
	c.journal = f
	return c, nil
}

// adopt adds a resource that is older than the stack.
func (c *Cloud) adopt(r Resource) {
	r.Existing = true
	r.Inputs, r.Outputs = clone(r.Inputs), clone(r.Outputs)
	r.Outputs["id"] = r.ID
	c.of(r.Token).resources[c.key(&r)] = &r
}

// Configure sets the configuration of the provider with that name. All providers of a place share one account and region.
func (c *Cloud) Configure(name string, config Object) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	config = decoded(config)
	region := text(config, "region")
	if region == "" {
		return errors.New("the aws provider has no region: set aws:region")
	}
	if _, ok := zones[region]; !ok {
		return fmt.Errorf("the offline cloud does not know the region %s; it knows %s", region,
			strings.Join(slices.Sorted(maps.Keys(zones)), ", "))
	}
	if c.region != "" && c.region != region {
		return fmt.Errorf("the offline cloud is in %s and a second provider asks for %s: it is one region of one account",
			c.region, region)
	}
	if err := c.identify(name, config); err != nil {
		return err
	}
	c.region, c.identity = region, identityOf(config)
	if tags, ok := get(config, "defaultTags.tags").(Object); ok {
		c.defaultTags = tags
	}
	return nil
}

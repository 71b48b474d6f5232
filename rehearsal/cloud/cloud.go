// Package cloud is an AWS account that exists only in memory and in one journal file: a Pulumi provider that accepts,
// refuses, replaces and deletes resources as the services would, without reaching any of them.
//
// It is a table before it is a program: a row per resource type (Type), in one file per service, and one interpreter.
// It checks what the rows say and nothing else. It never starts anything, so what happens inside an instance, a
// database or a load balancer is not its subject.
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

// Options say which account it is and what is in it already.
type Options struct {
	// Account is the account id; empty for the one that the configuration names, or 123456789012.
	Account string
	// Configuration is the stack's, by full key. A provider must get what it says of the AWS provider.
	Configuration map[string]string
	// Journal is the file that keeps the account between commands; empty to keep it in memory. It holds secret values,
	// as the account would, and is readable by its owner alone.
	Journal string
	// Existing are resources that were there before the stack, such as an adopted VPC.
	Existing []Resource
	// Fail decides whether a call fails. It is asked once per create, update and delete; nil for never.
	Fail func(Operation) Fault
}

// Operation is a call that could fail.
type Operation struct{ Verb, Type, Name, URN string }

// Fault is a failure. The zero value is none.
type Fault struct {
	// Message is the error; empty for no failure.
	Message string
	// Done says that the service did the work although the call failed.
	Done bool
}

// Resource is something in the account.
type Resource struct {
	Token string `json:"token"`
	ID    string `json:"id"`
	// Name and URN are Pulumi's; empty for what the account had before, and for what a service made by itself.
	Name string `json:"name,omitempty"`
	URN  string `json:"urn,omitempty"`
	// Owner is the id of the resource that made this one, such as an Auto Scaling group.
	Owner   string `json:"owner,omitempty"`
	Inputs  Object `json:"inputs"`
	Outputs Object `json:"outputs"`
	// Secrets names the properties that hold secrets.
	Secrets []string `json:"secrets,omitempty"`
	// Lost says that the call that made it was never answered.
	Lost bool `json:"lost,omitempty"`
	// Existing says that the stack does not own it.
	Existing bool `json:"existing,omitempty"`
	// Earlier are the inputs of its earlier versions, where the service keeps them.
	Earlier []Object `json:"earlier,omitempty"`
	// Contents are the data that it holds. A copy has its source's.
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

// Cloud is the account.
type Cloud struct {
	mu          sync.Mutex
	account     string
	region      string
	defaultTags Object
	// provider is what the stack's configuration says of the AWS provider, identity as whom that one acts.
	provider Object
	identity identity
	// uses are the AWS providers of the engine by their connections.
	uses map[string]*providerUse
	fail func(Operation) Fault
	// crashes says of what user data or containers start that it never serves; nil for nothing.
	crashes   func(definition string) bool
	alter     func(token, name string, inputs Object)
	resources map[string]*Resource
	// made counts the resources that a URN has had, so that ids are the same in every rehearsal and yet never reused.
	made    map[string]int
	journal *os.File
	// retired holds names that AWS keeps for a while after a delete, with the reason.
	retired map[string]string
	// checks counts what was checked, by kind.
	checks map[string]int
}

// New opens the account and replays its journal.
func New(o Options) (*Cloud, error) {
	c := &Cloud{
		account: o.Account, fail: o.Fail, resources: map[string]*Resource{}, made: map[string]int{},
		retired: map[string]string{}, checks: map[string]int{}, provider: providerConfig(o.Configuration),
		uses: map[string]*providerUse{},
	}
	if c.account == "" {
		c.account = AccountOf(o.Configuration)
	}
	for _, r := range o.Existing {
		if _, err := lookup(r.Token); err != nil {
			return nil, fmt.Errorf("existing %s: %w", r.ID, err)
		}
		r.Existing = true
		r.Inputs, r.Outputs = clone(r.Inputs), clone(r.Outputs)
		r.Outputs["id"] = r.ID
		c.resources[c.key(&r)] = &r
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

// Configure takes the configuration of the provider of that name. All providers of a rehearsal share one account and
// region.
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

package cloud

import (
	"errors"
	"fmt"
	"maps"

	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// Checkpoint is the account as it was. It holds secret values.
type Checkpoint struct {
	Resources map[string]*Resource `json:"resources"`
	Made      map[string]int       `json:"made"`
	Retired   map[string]string    `json:"retired"`
}

// Save remembers the account as it is.
func (c *Cloud) Save() Checkpoint {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Checkpoint{copies(c.resources), maps.Clone(c.made), maps.Clone(c.retired)}
}

func copies(all map[string]*Resource) map[string]*Resource {
	out := make(map[string]*Resource, len(all))
	for key, r := range all {
		next := *r
		next.Inputs, next.Outputs = clone(r.Inputs), clone(r.Outputs)
		out[key] = &next
	}
	return out
}

// Restore takes the account back to a checkpoint.
func (c *Cloud) Restore(to Checkpoint) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.resources, c.made, c.retired = copies(to.Resources), maps.Clone(to.Made), maps.Clone(to.Retired)
	if c.journal == nil {
		return nil
	}
	if err := c.journal.Truncate(0); err != nil {
		return fmt.Errorf("taking the offline cloud back: %w", err)
	}
	var wrong []error
	for _, r := range c.live() {
		wrong = append(wrong, c.put(r))
	}
	wrong = append(wrong, c.write(entry{Made: c.made}))
	for name, reason := range c.retired {
		wrong = append(wrong, c.write(entry{Retired: name, Reason: reason}))
	}
	return errors.Join(wrong...)
}

// FailWith decides from now on which calls fail; nil for none.
func (c *Cloud) FailWith(fail func(Operation) Fault) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fail = fail
}

// AlterWith sets a function that may change what a program registers before it is checked; nil leaves it as it is.
func (c *Cloud) AlterWith(alter func(token, name string, inputs Object)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.alter = alter
}

// registered is what a provider is given, altered where that is asked for.
func (c *Cloud) registered(token, name string, given property.Map) (Object, []string) {
	inputs, secrets := plain(given)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.alter != nil {
		c.alter(token, name, inputs)
	}
	return inputs, secrets
}

// CrashWith decides from now on of what user data or containers start that it never serves; nil for nothing.
func (c *Cloud) CrashWith(crashes func(definition string) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.crashes = crashes
}

// Lose marks resources as made by calls that were never answered, and lists them. Lost is called for each resource of a
// program.
func (c *Cloud) Lose(lost func(Resource) bool) []Resource {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []Resource
	for _, r := range c.live() {
		if r.URN != "" && lost(*r) {
			r.Lost = true
			all = append(all, *r)
		}
	}
	return all
}

// Repeatable says whether a lost call that creates the type can simply be made again.
func Repeatable(token string) bool { return table[token] != nil && table[token].Put }

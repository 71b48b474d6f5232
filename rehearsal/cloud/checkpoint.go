package cloud

import (
	"errors"
	"fmt"
	"maps"

	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// Checkpoint is a copy of the account. It contains secret values.
type Checkpoint struct {
	Resources map[string]*Resource `json:"resources"`
	Made      map[string]int       `json:"made"`
	Retired   map[string]string    `json:"retired"`
}

// Save returns a copy of the account.
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

// FailWith sets the function that decides which calls fail; nil for none.
func (c *Cloud) FailWith(fail func(Operation) Fault) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fail = fail
}

// AlterWith sets a function that may change the inputs of a program's resources before they are checked; nil changes
// nothing.
func (c *Cloud) AlterWith(alter func(token, name string, inputs Object)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.alter = alter
}

// registered returns the inputs of a resource, changed by that function.
func (c *Cloud) registered(token, name string, given property.Map) (Object, []string) {
	inputs, secrets := plain(given)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.alter != nil {
		c.alter(token, name, inputs)
	}
	return inputs, secrets
}

// CrashWith sets the function that decides which user data or containers start a server that never serves; nil for
// none.
func (c *Cloud) CrashWith(crashes func(definition string) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.crashes = crashes
}

// Lose marks resources as made by calls without an answer, and lists them. The function lost is called for each resource
// of a program.
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

// Repeatable reports whether a lost call that creates the type can be repeated.
func Repeatable(token string) bool { return table[token] != nil && table[token].Put }

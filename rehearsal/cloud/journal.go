package cloud

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// entry is a line of the journal.
type entry struct {
	Put     *Resource      `json:"put,omitempty"`
	Remove  string         `json:"remove,omitempty"`
	Made    map[string]int `json:"made,omitempty"`
	Retired string         `json:"retired,omitempty"`
	Reason  string         `json:"reason,omitempty"`
}

// Close closes the journal.
func (c *Cloud) Close() error {
	if c.journal == nil {
		return nil
	}
	return c.journal.Close()
}

func (c *Cloud) replay(e entry) {
	if e.Put != nil {
		c.of(e.Put.Token).resources[c.key(e.Put)] = e.Put
	}
	if e.Remove != "" {
		token, _, _ := strings.Cut(e.Remove, " ")
		delete(c.of(token).resources, e.Remove)
	}
	maps.Copy(c.made, e.Made)
	if e.Retired != "" {
		c.retired[e.Retired] = e.Reason
	}
}

func (c *Cloud) write(e entry) error {
	c.replay(e)
	if c.journal == nil {
		return nil
	}
	line, err := json.Marshal(e)
	if err == nil {
		_, err = c.journal.Write(append(line, '\n'))
	}
	if err != nil {
		return fmt.Errorf("writing the offline cloud's journal: %w", err)
	}
	return nil
}

func (c *Cloud) put(r *Resource) error {
	e := entry{Put: r}
	if r.URN != "" {
		e.Made = map[string]int{r.URN: c.made[r.URN]}
	}
	return c.write(e)
}

func (c *Cloud) remove(r *Resource) error { return c.write(entry{Remove: c.key(r)}) }

func (c *Cloud) key(r *Resource) string { return keyOf(r.Token, r.ID, r.Outputs) }

func keyOf(token, id string, properties Object) string {
	key := token + " " + id
	if t := table[token]; t != nil && t.Scope != "" {
		key += " in " + text(properties, t.Scope)
	}
	return key
}

// live lists every resource in a fixed order.
func (c *Cloud) live() []*Resource {
	resources := c.resources
	if c.global != nil {
		resources = maps.Clone(resources)
		for key, r := range c.global.resources {
			if global(r.Token) {
				resources[key] = r
			}
		}
	}
	all := make([]*Resource, 0, len(resources))
	for _, key := range slices.Sorted(maps.Keys(resources)) {
		all = append(all, resources[key])
	}
	return all
}

func (c *Cloud) all(token string) []*Resource {
	var all []*Resource
	for key, r := range c.of(token).resources {
		if strings.HasPrefix(key, token+" ") {
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(a, b *Resource) int { return strings.Compare(c.key(a), c.key(b)) })
	return all
}

// find returns the live resource of one of the types with this value of a property.
func (c *Cloud) find(value, property string, tokens ...string) *Resource {
	for _, token := range tokens {
		if r, ok := c.of(token).resources[token+" "+value]; ok && property == "id" {
			return r
		}
		for _, r := range c.all(token) {
			if text(r.Outputs, property) == value {
				return r
			}
		}
	}
	return nil
}

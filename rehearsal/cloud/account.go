package cloud

import (
	"maps"
	"slices"
	"strings"
)

// Snapshot is the account at one moment.
type Snapshot struct {
	Account, Region, Partition string
	Resources                  []Resource
	// Checks are the numbers of checks in creates and updates so far, by kind.
	Checks map[string]int
}

// Snapshot copies the account. It holds secret values.
func (c *Cloud) Snapshot() Snapshot {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := Snapshot{
		Account: c.account, Region: c.region, Partition: c.partition(), Checks: maps.Clone(c.checks),
	}
	for _, r := range c.everywhere() {
		copied := *r
		copied.Inputs, copied.Outputs = clone(r.Inputs), clone(r.Outputs)
		s.Resources = append(s.Resources, copied)
	}
	for _, place := range c.places[1:] {
		for kind, n := range place.checks {
			s.Checks[kind] += n
		}
	}
	return s
}

// Of lists the resources of a type.
func (s Snapshot) Of(token string) []Resource {
	var all []Resource
	for _, r := range s.Resources {
		if r.Token == token {
			all = append(all, r)
		}
	}
	return all
}

// Left returns the resources that a stack made and has not deleted.
func (s Snapshot) Left() []Resource {
	return slices.DeleteFunc(slices.Clone(s.Resources), func(r Resource) bool { return r.Existing })
}

func (c *Cloud) partition() string {
	switch {
	case strings.HasPrefix(c.region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(c.region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}

func (c *Cloud) suffix() string {
	if c.partition() == "aws-cn" {
		return "amazonaws.com.cn"
	}
	return "amazonaws.com"
}

// Protected lists the resources with a deletion protection of their service.
func (c *Cloud) Protected() []Resource {
	c.mu.Lock()
	defer c.mu.Unlock()
	var held []Resource
	for _, r := range c.everywhere() {
		if t := table[r.Token]; t != nil && t.Protection != "" && flag(r.Outputs, t.Protection) {
			held = append(held, *r)
		}
	}
	return held
}

// Unprotect switches the services' deletion protection off, as an operator does before a stack's deletion.
func (c *Cloud) Unprotect() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, place := range c.places {
		for _, r := range place.live() {
			t := table[r.Token]
			if t == nil || t.Protection == "" || !flag(r.Outputs, t.Protection) {
				continue
			}
			next := *r
			next.Inputs, next.Outputs = clone(r.Inputs), clone(r.Outputs)
			next.Inputs[t.Protection], next.Outputs[t.Protection] = false, false
			if err := place.put(&next); err != nil {
				return err
			}
		}
	}
	return nil
}

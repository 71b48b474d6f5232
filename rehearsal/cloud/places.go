package cloud

import (
	"context"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

func newRegional(account, region string) *regional {
	return &regional{
		account: account, region: region, resources: map[string]*Resource{}, made: map[string]int{}, retired: map[string]string{},
		checks: map[string]int{},
	}
}

// global reports whether all regions share the resources of a type. IAM and Route 53 have no regions, and the names of
// buckets are unique across regions.
func global(token string) bool {
	for _, service := range []string{"aws:iam/", "aws:route53/", "aws:s3/"} {
		if strings.HasPrefix(token, service) {
			return true
		}
	}
	return false
}

// of returns the place that has the resources of a type.
func (c *Cloud) of(token string) *regional {
	if c.global != nil && global(token) {
		return c.global
	}
	return c.regional
}

// everywhere lists the resources of all places, each once.
func (c *Cloud) everywhere() []*Resource {
	var all []*Resource
	for _, place := range c.places {
		for _, r := range place.live() {
			if place.global == nil || !global(r.Token) {
				all = append(all, r)
			}
		}
	}
	return all
}

// in returns the cloud in a region of an account, and opens it if it is new. The first place has no region before its first
// provider.
func (c *Cloud) in(account, region string) *Cloud {
	var home *regional
	for _, place := range c.places {
		if place.account != account {
			continue
		}
		if place.region == region || place.region == "" {
			return place
		}
		if home == nil {
			home = place.regional
		}
	}
	next := &Cloud{shared: c.shared, regional: newRegional(account, region), provider: c.provider}
	next.global = home
	c.places = append(c.places, next)
	return next
}

// enter returns the cloud as a provider with this configuration sees it. A stack file has one region and one account, and
// Configure refuses another one. A team's own program may have several.
func (c *Cloud) enter(config Object) *Cloud {
	c.mu.Lock()
	defer c.mu.Unlock()
	region := text(config, "region")
	if !c.several || region == "" {
		return c
	}
	account := accountOfRole(identityOf(decoded(config)))
	if allowed := texts(decoded(config), "allowedAccountIds[]"); account == "" && len(allowed) == 1 {
		account = allowed[0]
	}
	if account == "" {
		account = c.places[0].account
	}
	// Its default tags and its identity are its own.
	at := c.in(account, region)
	at.identity = identityOf(decoded(config))
	sees := *at
	return &sees
}

// serving returns the cloud with the cluster of a kubeconfig.
func (c *Cloud) serving(config Object) *Cloud {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, place := range c.places {
		for _, cluster := range place.all(state.EKSCluster) {
			if endpoint := text(cluster.Outputs, "endpoint"); endpoint != "" && strings.Contains(text(config, "kubeconfig"), endpoint) {
				return place
			}
		}
	}
	return c
}

// seenBy returns the cloud as the caller's provider sees it.
func (c *Cloud) seenBy(ctx context.Context) *Cloud {
	c.mu.Lock()
	defer c.mu.Unlock()
	if use := c.uses[connection(ctx)]; use != nil && use.sees != nil {
		return use.sees
	}
	return c
}

// Adopt adds resources that are older than the stack, in one region.
func (c *Cloud) Adopt(region string, existing []Resource) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := c
	if c.several && region != "" {
		at = c.in(c.places[0].account, region)
	}
	for _, r := range existing {
		at.adopt(r)
	}
}

// Assume accepts references to resources that do not exist, or refuses them again. The first preview of a team's program
// accepts them, since only the program says what it takes as existing.
func (c *Cloud) Assume(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lenient = on
}

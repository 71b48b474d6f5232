package nodeconfig

import (
	"strconv"

	"github.com/wso2is-aws/wso2is/config"
)

// caching writes the scenario. There is no key for invalidation: the server sends it if caches are local and clustering
// is on.
//
// There are two units: [server] default_cache_timeout accepts 15m, while a cache's own timeout must be a bare number of
// seconds, because the server would turn 5m into milliseconds and read them as seconds.
func (r *renderer) caching(d *document) {
	c := r.Cluster.Caching
	d.Server.ForceLocalCache = c.Scenario != config.CacheDistributed
	d.Server.DefaultCacheTimeout = minutes(c.TimeoutMinutes)
	caches := map[string]map[string]any{}
	of := func(id string) map[string]any {
		if caches[id] == nil {
			caches[id] = map[string]any{}
		}
		return caches[id]
	}
	ids := r.Cluster.Version.CacheIDs()
	d.Cache = map[string]any{}

	switch c.Scenario {
	case config.CacheLocal:
		// No node learns that its copy is stale, so every lifetime is shortened, also those of caches with their own.
		d.Server.DefaultRealmCacheTimeout = minutes(c.TimeoutMinutes)
		seconds := strconv.Itoa(c.TimeoutMinutes * 60)
		for _, id := range ids {
			of(id)["timeout"] = seconds
		}
	case config.CacheNone:
		for _, id := range ids {
			of(id)["enable"] = false
		}
		d.GovernanceData = &governanceData{EnableCache: false}
		d.Authorization = &properties{Properties: map[string]string{"AuthorizationCacheEnabled": "false"}}
		if d.UserStore.Properties == nil {
			d.UserStore.Properties = map[string]any{}
		}
		d.UserStore.Properties["UserRolesCacheEnabled"] = false
	case config.CacheSelected:
		for _, id := range c.Disabled {
			of(id)["enable"] = false
		}
	default: // the other scenarios keep every cache and its lifetime
	}
	for id, adjusted := range c.Caches {
		if t := adjusted.TimeoutSeconds; t > 0 {
			of(id)["timeout"] = strconv.Itoa(t)
		}
		if n := adjusted.Capacity; n > 0 {
			of(id)["capacity"] = strconv.Itoa(n)
		}
	}
	for id, settings := range caches {
		if len(settings) > 0 {
			d.Cache[id] = settings
		}
	}
}

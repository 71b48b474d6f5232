package config

import (
	"fmt"
	"maps"
	"slices"
)

func (v *validator) caching() {
	k := v.Caching
	if k.Scenario != CacheSelected && len(k.Disabled) > 0 {
		v.refuse("caching.disabled", "leave it out, or write caching.scenario: selectedOff",
			"the scenario %s does not read it", k.Scenario)
	}
	if k.Scenario == CacheSelected && len(k.Disabled) == 0 {
		v.refuse("caching.disabled", "write the caches to switch off, such as oauth_cache", "selectedOff names no cache")
	}
	if v.facts.Kernel == "" {
		return
	}
	ids := v.Version.CacheIDs()
	for i, id := range k.Disabled {
		if !slices.Contains(ids, id) {
			v.unknown(fmt.Sprintf("caching.disabled[%d]", i), id, ids)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(k.Caches)) {
		path := "caching.caches." + id
		if !slices.Contains(ids, id) {
			v.unknown(path, id, ids)
		}
		if k.Caches[id] == (Cache{}) {
			v.refuse(path, "write timeoutSeconds, capacity or both", "nothing about the cache is changed")
		}
	}
}

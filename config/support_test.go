package config_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/configtest"
	"github.com/wso2is-aws/wso2is/config/engine"
	"github.com/wso2is-aws/wso2is/config/lifecycle"
	"github.com/wso2is-aws/wso2is/config/product"
)

// on loads a configuration on a given day.
func on(day string, changes object) (config.Loaded, error) {
	env := configtest.Environment()
	env.Today = func() time.Time { return lifecycle.Date(day).Day().Add(23 * time.Hour) }
	return config.Load(configtest.Source(configtest.With(changes)), env)
}

// TestNoDefaultIsNearItsEnd fails when a default has less than half a year of support left. Read config/lifecycle's sources
// again, and choose another default, or write the new day down.
func TestNoDefaultIsNearItsEnd(t *testing.T) {
	stacks := map[string]object{"eks": onEKS(nil)}
	for _, release := range product.Versions() {
		for _, engine := range engine.Names() {
			stacks[fmt.Sprintf("%s on %s", release, engine)] = object{"version": string(release), "clustering": object{"scheme": "wka"},
				"database": object{"engine": string(engine)}}
		}
	}
	for name, changes := range stacks {
		loaded, err := configtest.TryLoad(changes)
		require.NoError(t, err, name)
		rows := loaded.Cluster.Support()
		require.NotEmpty(t, rows, name)
		for _, row := range rows {
			left := time.Until(lifecycle.Date(row.Ends).Day()).Hours() / 24
			assert.Greater(t, left, float64(lifecycle.DefaultDays), "%s: the support of %s ends on %s", name, row.Version, row.Ends)
		}
	}
}

// TestEveryVersionHasADay checks that every version in the choice has a known last day.
func TestEveryVersionHasADay(t *testing.T) {
	for _, v := range config.KubernetesVersions() {
		_, known := lifecycle.Kubernetes.Find(string(v))
		assert.True(t, known, "Kubernetes %s", v)
	}
	calendars := []lifecycle.Calendar{lifecycle.Kubernetes, lifecycle.Corretto, lifecycle.AmazonLinux}
	for _, e := range engine.Names() {
		calendars = append(calendars, e.Facts().Support)
	}
	for _, c := range calendars {
		for _, v := range c.Versions {
			require.NotPanics(t, func() { v.Ends.Day() }, "%s %s", c.Of, v.Name)
			if v.Extended != "" {
				assert.Greater(t, v.Extended, v.Ends, "%s %s", c.Of, v.Name)
			}
		}
		assert.NotEmpty(t, c.After, c.Of)
		assert.True(t, strings.HasPrefix(c.Source, "https://"), c.Of)
	}
}

// TestTheEndOfSupportIsTold checks that a team gets a warning 120 days before.
func TestTheEndOfSupportIsTold(t *testing.T) {
	old := object{"database": object{"version": "16"}}
	for day, want := range map[string]string{
		"2028-10-30": "",
		"2028-10-31": "wso2is:database.version: the standard support of postgres 16 ends in 120 days, on 2029-02-28: RDS upgrades it " +
			"by itself; with database.extendedSupport it stays, and each vCPU is paid for besides",
		"2029-02-28": "wso2is:database.version: the standard support of postgres 16 ends in 0 days, on 2029-02-28: RDS upgrades it by " +
			"itself; with database.extendedSupport it stays, and each vCPU is paid for besides",
	} {
		loaded, err := on(day, old)
		require.NoError(t, err)
		var got []string
		for _, w := range loaded.Warnings {
			if strings.HasPrefix(w, "wso2is:database.version: the standard support") {
				got = append(got, w)
			}
		}
		assert.Equal(t, want, strings.Join(got, "\n"), day)
	}
}

// TestRefusesVersionsAfterTheirEnd checks that a version is refused if AWS no longer offers it without paid support.
func TestRefusesVersionsAfterTheirEnd(t *testing.T) {
	check(t, map[string]refusal{
		"PostgreSQL": one(under("database", object{"version": "13"}), "wso2is:database.version: the standard support of postgres 13 "+
			"ended on 2026-02-28; write a newer one, or pay for it with database.extendedSupport: true"),
		"MySQL": one(under("database", object{"engine": "mysql", "version": "8.0"}), "wso2is:database.version: the standard support "+
			"of mysql 8.0 ended on 2026-07-31; write a newer one, or pay for it with database.extendedSupport: true"),
	})
	paid, err := configtest.TryLoad(under("database", object{"version": "13", "extendedSupport": true}))
	require.NoError(t, err)
	assert.Contains(t, strings.Join(paid.Warnings, "\n"), "the standard support of postgres 13 ended on 2026-02-28")

	_, err = on("2026-12-02", onEKS(object{"version": "1.34"}))
	require.NoError(t, err, "the last day")
	_, err = on("2026-12-03", onEKS(object{"version": "1.34"}))
	require.ErrorContains(t, err, "wso2is:eks.version: the standard support of Kubernetes on EKS 1.34 ended on 2026-12-02; write a "+
		"newer one, or pay for it with eks.extendedSupport: true")
}

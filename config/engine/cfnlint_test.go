package engine_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/config/configtest"
	"github.com/wso2is-aws/wso2is/config/engine"
)

// cfnLint reads a file of cfn-lint's data on RDS: AWS's own answers.
func cfnLint(t *testing.T, name string, into any) {
	t.Helper()
	_, tables := configtest.CFNLint(t)
	raw, err := os.ReadFile(filepath.Join(tables, "aws_rds_dbinstance", name))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, into))
}

// editions are the names of an engine in RDS.
func editions(f engine.Facts) []string {
	if len(f.Editions) == 0 {
		return []string{f.RDS("")}
	}
	var all []string
	for _, edition := range f.Editions {
		all = append(all, f.RDS(edition))
	}
	return all
}

// rule is one of cfn-lint's conditions, and the values that it allows.
type rule struct {
	If struct {
		Properties struct{ Engine json.RawMessage }
	}
	Then struct {
		Properties struct{ EngineVersion struct{ Enum []string } }
	}
}

// constant is the value of a property that a condition names. Without one it is empty.
func constant(raw json.RawMessage) string {
	var c struct{ Const string }
	_ = json.Unmarshal(raw, &c) // a property that must be absent is a flag
	return c.Const
}

func TestCFNLintKnowsTheReleases(t *testing.T) {
	var rules struct{ AllOf []rule }
	cfnLint(t, "engine_version.json", &rules)
	versions := map[string][]string{}
	for _, r := range rules.AllOf {
		name := constant(r.If.Properties.Engine)
		versions[name] = append(versions[name], r.Then.Properties.EngineVersion.Enum...)
	}
	for _, name := range engine.Names() {
		for _, rds := range editions(name.Facts()) {
			if name == engine.Oracle {
				continue // cfn-lint has no list of Oracle's releases
			}
			require.NotEmpty(t, versions[rds], rds)
			for _, release := range name.Facts().Versions() {
				assert.True(t, slices.ContainsFunc(versions[rds], func(v string) bool { return v == release || strings.HasPrefix(v, release+".") }),
					"RDS offers no release %s of %s", release, rds)
			}
		}
	}
}

func TestCFNLintKnowsTheReleasesOfAurora(t *testing.T) {
	_, tables := configtest.CFNLint(t)
	raw, err := os.ReadFile(filepath.Join(tables, "aws_rds_dbcluster", "engine_version.json"))
	require.NoError(t, err)
	var rules struct{ AllOf []rule }
	require.NoError(t, json.Unmarshal(raw, &rules))
	versions := map[string][]string{}
	for _, r := range rules.AllOf {
		versions[constant(r.If.Properties.Engine)] = r.Then.Properties.EngineVersion.Enum
	}
	for _, name := range engine.OnAurora() {
		facts := name.Facts().OnAurora()
		for _, release := range facts.Versions() {
			assert.Contains(t, versions[facts.RDS("")], release, "RDS takes a release of Aurora without a minor version")
		}
	}
}

// TestCFNLintRunsEveryReleaseOnTheDefaultClasses checks that RDS runs each release of the open engines on the default
// classes.
func TestCFNLintRunsEveryReleaseOnTheDefaultClasses(t *testing.T) {
	var table struct {
		AllOf []struct {
			If struct {
				Properties struct {
					Engine        json.RawMessage
					EngineVersion struct{ Pattern string }
				}
			}
			Then struct {
				Properties struct{ DBInstanceClass struct{ Enum []string } }
			}
		}
	}
	cfnLint(t, "db_instance_class.json", &table)
	for _, name := range []engine.Name{engine.Postgres, engine.MySQL, engine.MariaDB} {
		for _, version := range name.Facts().Versions() {
			var offered []string
			for _, rule := range table.AllOf {
				// A pattern matches one release, such as ^(16\.9\..+|16\.9)$.
				if constant(rule.If.Properties.Engine) == string(name) &&
					strings.HasPrefix(rule.If.Properties.EngineVersion.Pattern, "^("+strings.ReplaceAll(version, ".", `\.`)+`\.`) {
					offered = append(offered, rule.Then.Properties.DBInstanceClass.Enum...)
				}
			}
			for _, class := range []string{name.Facts().DevClass, name.Facts().ProdClass} {
				assert.Contains(t, offered, class, "%s %s", name, version)
			}
		}
	}
}

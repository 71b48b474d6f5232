package engine_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/config/engine"
)

// cfnLint reads a file of cfn-lint's data on RDS: AWS's own lists, as AWS answers them.
func cfnLint(t *testing.T, name string, into any) {
	t.Helper()
	out, err := exec.Command("python3", "-c", "import cfnlint, os; print(os.path.dirname(cfnlint.__file__))").Output()
	if err != nil {
		t.Skip("cfn-lint is not installed: python3 -m pip install cfn-lint")
	}
	raw, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), "data", "schemas", "extensions", "aws_rds_dbinstance", name))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, into))
}

// ordered is an engine as RDS orders it.
type ordered struct{ rds, license string }

// editions are an engine's names in RDS and the license, by edition.
func editions(f engine.Facts) map[string]ordered {
	all := map[string]ordered{}
	names := f.Editions
	if len(names) == 0 {
		names = []string{""}
	}
	for _, edition := range names {
		license := ""
		if f.License != nil {
			license = f.License(edition)
		}
		all[edition] = ordered{f.RDS(edition), license}
	}
	return all
}

// rule is a condition of cfn-lint's, and what it allows.
type rule struct {
	If struct {
		Properties struct{ Engine, LicenseModel json.RawMessage }
	}
	Then struct {
		Properties struct{ EngineVersion, DBInstanceClass struct{ Enum []string } }
	}
}

// constant is the value of a property that a condition names, or empty.
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
		for _, own := range editions(name.Facts()) {
			rds := own.rds
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

func TestCFNLintKnowsTheDefaultClasses(t *testing.T) {
	var regions map[string]struct{ AllOf []rule }
	cfnLint(t, "dbinstanceclass_enum.json", &regions)
	for _, region := range []string{"us-east-1", "us-east-2", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-2", "us-gov-west-1", "cn-north-1"} {
		require.Contains(t, regions, region)
		for _, name := range engine.Names() {
			for edition, own := range editions(name.Facts()) {
				rds, license := own.rds, own.license
				var offered []string
				for _, r := range regions[region].AllOf {
					if model := constant(r.If.Properties.LicenseModel); constant(r.If.Properties.Engine) == rds && (model == license || license == "") {
						offered = append(offered, r.Then.Properties.DBInstanceClass.Enum...)
					}
				}
				for _, class := range []string{name.Facts().DevClass, name.Facts().Class(edition)} {
					if region == "cn-north-1" && rds == "oracle-ee" && class == "db.m6i.large" {
						continue // argued in docs/operations.md: a stack there names a class
					}
					assert.Contains(t, offered, class, "%s of %s (%s) in %s", class, rds, license, region)
				}
			}
		}
	}
}

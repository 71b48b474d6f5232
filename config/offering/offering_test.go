package offering_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/config/configtest"
	"github.com/wso2is-aws/wso2is/config/engine"
	"github.com/wso2is-aws/wso2is/config/instancetype"
	"github.com/wso2is-aws/wso2is/config/offering"
	"github.com/wso2is-aws/wso2is/config/sizing"
)

var update = flag.Bool("update", false, "write offered.txt from cfn-lint's tables")

func TestOffersOfARegion(t *testing.T) {
	for _, c := range []struct {
		of           offering.Offered
		region, name string
		want         bool
	}{
		{offering.InstanceTypes, "eu-west-1", "m6i.xlarge", true},
		{offering.InstanceTypes, "ap-southeast-2", "m8a.xlarge", false},
		{offering.InstanceTypes, "us-east-2", "m8gn.xlarge", false},
		{offering.InstanceTypes, "eu-west-1", "m7i-flex.48xlarge", false},
		{offering.InstanceTypes, "eu-west-1", "x99.large", true},
		{offering.InstanceTypes, "xx-west-1", "m8a.xlarge", true},
		{offering.Classes("postgres"), "eu-west-1", "m9g.large", false},
		{offering.Classes("postgres"), "us-east-1", "m9g.large", true},
		{offering.Classes("oracle-se2"), "eu-west-1", "m5.large", true},
		{offering.Classes("unknown"), "eu-west-1", "m5.large", true},
	} {
		assert.Equal(t, c.want, c.of.Exists(c.region, c.name), "%s %s in %s", c.of, c.name, c.region)
	}
}

// TestTheCatalogueIsOffered checks that some Region offers every family of the catalogue, and that the catalogue has
// every size of these families.
func TestTheCatalogueIsOffered(t *testing.T) {
	raw, err := os.ReadFile("offered.txt")
	require.NoError(t, err)
	_, types, _ := strings.Cut(string(raw), "of ec2\n")
	types, _, _ = strings.Cut(types, "\nwithout ")
	offered := map[string]bool{}
	for line := range strings.Lines(types) {
		words := strings.Fields(line)
		offered[words[1]] = true
		for _, size := range words[2:] {
			// The largest size of the catalogue is 48xlarge.
			_, known := instancetype.Lookup(words[1] + "." + size)
			assert.True(t, known || strings.Contains(size, "96x"), "%s.%s", words[1], size)
		}
	}
	for _, family := range instancetype.Families() {
		assert.True(t, offered[family], "no Region offers %s", family)
	}
}

// TestDefaultsAreOffered checks that a stack that names no type and no class can be built. In other Regions, loading
// says what to write.
func TestDefaultsAreOffered(t *testing.T) {
	for _, region := range strings.Fields("us-east-1 us-east-2 us-west-2 eu-west-1 eu-central-1 ap-southeast-2 us-gov-west-1 cn-north-1") {
		for _, name := range []string{"t3.xlarge", "m6i.xlarge", sizing.NodeType, instancetype.Smallest(4, 8)} {
			assert.True(t, offering.InstanceTypes.Exists(region, name), "%s in %s", name, region)
		}
		for rds, classes := range defaultClasses() {
			for _, class := range classes {
				// docs/operations.md has the reason: a stack there names a class.
				argued := region == "cn-north-1" && rds == "oracle-ee" && class == "m6i.large"
				assert.NotEqual(t, argued, offering.Classes(rds).Exists(region, class), "db.%s for %s in %s", class, rds, region)
			}
		}
	}
}

// defaultClasses are the default classes of the profiles, by the engine's name in RDS.
func defaultClasses() map[string][]string {
	all := map[string][]string{}
	for _, name := range engine.Names() {
		f := name.Facts()
		for _, edition := range append(slices.Clone(f.Editions), "")[:max(1, len(f.Editions))] {
			for _, class := range []string{f.DevClass, f.Class(edition)} {
				all[f.RDS(edition)] = append(all[f.RDS(edition)], strings.TrimPrefix(class, "db."))
			}
		}
	}
	for _, name := range engine.OnAurora() {
		f := name.Facts().OnAurora()
		for _, class := range []string{f.DevClass, f.ProdClass} {
			all[f.RDS("")] = append(all[f.RDS("")], strings.TrimPrefix(class, "db."))
		}
	}
	return all
}

// TestAMessageNamesAnOfferedType checks that a message names a type that the Region has.
func TestAMessageNamesAnOfferedType(t *testing.T) {
	for region, want := range map[string]string{"eu-west-1": "m6i.xlarge", "ap-southeast-4": "m7i.xlarge", "xx-west-1": "m6i.xlarge"} {
		assert.Equal(t, want, offering.InstanceTypes.Such(region, "xlarge"), region)
	}
	assert.Equal(t, "m5.large", offering.Classes("oracle-se2").Such("eu-west-1", "large"))
	assert.Empty(t, offering.Classes("unknown").Such("eu-west-1", "large"))
}

// regionsOfTypes are the types that each Region offers.
type regionsOfTypes map[string]map[string]bool

// add adds a type if its family is in the catalogue.
func (r regionsOfTypes) add(region, name string) {
	if family, _, _ := strings.Cut(name, "."); !slices.Contains(instancetype.Families(), family) {
		return
	}
	if r[region] == nil {
		r[region] = map[string]bool{}
	}
	r[region][name] = true
}

// TestCFNLintOffersTheSame compares the whole list with cfn-lint's tables.
func TestCFNLintOffersTheSame(t *testing.T) {
	version, tables := configtest.CFNLint(t)
	written, err := os.ReadFile("offered.txt")
	require.NoError(t, err)
	header := "# cfn-lint " + version + ": go test ./config/offering -update\n"
	if !*update && !strings.HasPrefix(string(written), header) {
		t.Skip("offered.txt is from another release of cfn-lint than " + version)
	}
	text := header
	byList := map[string][]string{}
	for of, regions := range offers(t, tables) {
		byList[lines(regions)] = append(byList[lines(regions)], of)
	}
	var parts []string
	for list, of := range byList {
		slices.Sort(of)
		parts = append(parts, "of "+strings.Join(of, " ")+"\n"+list)
	}
	slices.Sort(parts)
	text += strings.Join(parts, "")
	if *update {
		require.NoError(t, os.WriteFile("offered.txt", []byte(text), 0o600))
	}
	assert.Equal(t, text, string(written))
}

// offers returns cfn-lint's tables.
func offers(t *testing.T, tables string) map[string]regionsOfTypes {
	t.Helper()
	all := map[string]regionsOfTypes{string(offering.InstanceTypes): {}}
	for region, types := range read[struct{ Enum []string }](t, tables, "aws_ec2_instance", "instancetype_enum.json") {
		for _, name := range types.Enum {
			if region != "all" {
				all["ec2"].add(region, name)
			}
		}
	}
	type rules struct {
		AllOf []struct {
			If struct {
				Properties struct{ Engine, LicenseModel any }
			}
			Then struct {
				Properties struct{ DBInstanceClass struct{ Enum []string } }
			}
		}
	}
	licenses := licenses()
	for region, list := range read[rules](t, tables, "aws_rds_dbinstance", "dbinstanceclass_enum.json") {
		for _, rule := range list.AllOf {
			rds := constant(rule.If.Properties.Engine)
			license, ours := licenses[rds]
			if !ours || license != "" && constant(rule.If.Properties.LicenseModel) != license {
				continue
			}
			if all[rds] == nil {
				all[rds] = regionsOfTypes{}
			}
			for _, class := range rule.Then.Properties.DBInstanceClass.Enum {
				all[rds].add(region, strings.TrimPrefix(class, "db."))
			}
		}
	}
	return all
}

// licenses returns the license models of the editions that a stack can choose, by their names in RDS.
func licenses() map[string]string {
	all := map[string]string{}
	for _, name := range engine.Names() {
		f := name.Facts()
		for _, edition := range append(slices.Clone(f.Editions), "")[:max(1, len(f.Editions))] {
			all[f.RDS(edition)] = ""
			if f.License != nil {
				all[f.RDS(edition)] = f.License(edition)
			}
		}
		if f.Aurora != nil {
			all[f.Aurora.Name] = ""
		}
	}
	return all
}

// constant returns the value in a condition. A property that must be absent is a flag.
func constant(condition any) string {
	c, _ := condition.(map[string]any)
	text, _ := c["const"].(string)
	return text
}

// read returns a table of cfn-lint by Region.
func read[T any](t *testing.T, path ...string) map[string]T {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(path...))
	require.NoError(t, err)
	var untyped map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(raw, &untyped))
	delete(untyped, "description")
	all := map[string]T{}
	for key, value := range untyped {
		var one T
		require.NoError(t, json.Unmarshal(value, &one))
		all[key] = one
	}
	return all
}

// lines writes the offers of the Regions.
func lines(regions regionsOfTypes) string {
	sizes := map[string][]string{}
	for _, types := range regions {
		for name := range types {
			family, size, _ := strings.Cut(name, ".")
			if !slices.Contains(sizes[family], size) {
				sizes[family] = append(sizes[family], size)
			}
		}
	}
	var b strings.Builder
	for _, family := range slices.Sorted(maps.Keys(sizes)) {
		slices.Sort(sizes[family])
		fmt.Fprintf(&b, "sizes %s %s\n", family, strings.Join(sizes[family], " "))
	}
	for _, region := range slices.Sorted(maps.Keys(regions)) {
		var without []string
		for _, family := range slices.Sorted(maps.Keys(sizes)) {
			var missing []string
			for _, size := range sizes[family] {
				if name := family + "." + size; !regions[region][name] {
					missing = append(missing, name)
				}
			}
			if len(missing) == len(sizes[family]) {
				missing = []string{family}
			}
			without = append(without, missing...)
		}
		if len(without) > 0 {
			fmt.Fprintf(&b, "without %s %s\n", region, strings.Join(without, " "))
		}
	}
	return b.String()
}

package instancetype_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/config/instancetype"
)

// cfnLint is the directory of cfn-lint's data: AWS's own lists of what each Region offers, as AWS answers them.
func cfnLint(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("python3", "-c", "import cfnlint, os; print(os.path.dirname(cfnlint.__file__))").Output()
	if err != nil {
		t.Skip("cfn-lint is not installed: python3 -m pip install cfn-lint")
	}
	return filepath.Join(strings.TrimSpace(string(out)), "data", "schemas", "extensions")
}

// TestCFNLintKnowsTheFamilies holds that every family of the catalogue is offered somewhere, and every type that AWS offers of a
// family of the catalogue has a size that follows the catalogue's rule.
func TestCFNLintKnowsTheFamilies(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(cfnLint(t), "aws_ec2_instance", "instancetype_enum.json"))
	require.NoError(t, err)
	var regions map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(raw, &regions))
	offered := map[string]bool{}
	for _, region := range regions {
		var list struct{ Enum []string }
		if json.Unmarshal(region, &list) == nil {
			for _, kind := range list.Enum {
				offered[kind] = true
			}
		}
	}
	require.Greater(t, len(offered), 500)
	families, unknown := map[string]bool{}, []string(nil)
	for kind := range offered {
		family, size, _ := strings.Cut(kind, ".")
		families[family] = true
		_, large := instancetype.Lookup(family + ".large")
		// The largest size of the catalogue is 48xlarge.
		if _, known := instancetype.Lookup(kind); large && !known && size != "96xlarge" && !strings.HasPrefix(size, "metal-96") {
			unknown = append(unknown, kind)
		}
	}
	require.Empty(t, unknown, "sizes that AWS offers of a family of the catalogue")
	// Releases of cfn-lint before those families know nothing of them.
	if !families["m9g"] {
		t.Skip("this release of cfn-lint is older than the catalogue: python3 -m pip install --upgrade cfn-lint")
	}
	for _, family := range instancetype.Families() {
		require.True(t, families[family], "no Region offers %s", family)
	}
}

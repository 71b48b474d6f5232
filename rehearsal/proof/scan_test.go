package proof_test

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/rehearse"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

var update = flag.Bool("update", false, "write testdata/checkov.txt, and the table of permissions in docs/security.md")

const (
	findingsFile = "testdata/checkov.txt"
	guide        = "../../docs/security.md"
)

// checkov finds the scanner: the path in CHECKOV, the project's own installation, or the one on PATH. Another release
// has other findings, so the test is skipped.
func checkov(t *testing.T) string {
	t.Helper()
	makefile, err := os.ReadFile("../../Makefile")
	require.NoError(t, err)
	version := regexp.MustCompile(`CHECKOV_VERSION := (\S+)`).FindStringSubmatch(string(makefile))
	require.NotNil(t, version)
	own, err := filepath.Abs("../../.cache/checkov/bin/checkov") // it runs in another directory
	require.NoError(t, err)
	for _, at := range []string{os.Getenv("CHECKOV"), own, "checkov"} {
		if out, err := exec.CommandContext(t.Context(), cmp.Or(at, "checkov"), "--version").Output(); err == nil &&
			strings.TrimSpace(string(out)) == version[1] {
			return cmp.Or(at, "checkov")
		}
	}
	t.Skipf("checkov %s is not installed: python3 -m venv .cache/checkov && .cache/checkov/bin/pip install checkov==%[1]s", version[1])
	return ""
}

// TestCheckovFindsWhatIsWrittenDown scans the shipped stacks if the scanner is installed. A new finding is mended, or
// written down with -update and a reason in docs/security.md.
func TestCheckovFindsWhatIsWrittenDown(t *testing.T) {
	scanner := checkov(t)
	found := map[string]map[string][]string{}
	for _, stack := range rehearse.Shipped {
		s, err := state.Read(stateOf(t, stack))
		require.NoError(t, err)
		for check, resources := range scan(t, scanner, s) {
			if found[check] == nil {
				found[check] = map[string][]string{}
			}
			found[check][stack] = resources
		}
	}
	var text strings.Builder
	for _, check := range slices.Sorted(maps.Keys(found)) {
		fmt.Fprintln(&text, check)
		for _, stack := range rehearse.Shipped {
			if resources := found[check][stack]; len(resources) > 0 {
				fmt.Fprintf(&text, "  %s: %s\n", stack, strings.Join(resources, ", "))
			}
		}
	}
	if *update {
		require.NoError(t, os.WriteFile(findingsFile, []byte(text.String()), 0o600))
	}
	written, err := os.ReadFile(findingsFile)
	require.NoError(t, err)
	assert.Equal(t, string(written), text.String(), "mend what is new, or write it down with -update and argue it in docs/security.md")
}

// TestEveryFindingIsArgued compares docs/security.md with the written findings, so that neither has a line that the
// other lacks.
func TestEveryFindingIsArgued(t *testing.T) {
	written, err := os.ReadFile(findingsFile)
	require.NoError(t, err)
	text, err := os.ReadFile(guide)
	require.NoError(t, err)
	ids := func(form, in string) []string {
		var all []string
		for _, m := range regexp.MustCompile(form).FindAllStringSubmatch(in, -1) {
			all = append(all, m[1])
		}
		slices.Sort(all)
		return all
	}
	assert.Equal(t, ids(`(?m)^(CKV2?_[A-Z0-9_]+) `, string(written)), ids("(?m)^\\| `(CKV2?_[A-Z0-9_]+)` \\| .+ \\| .+ \\|$", string(text)),
		"the findings, and the lines of docs/security.md that argue one each")
}

// scan returns the scanner's findings: resources by check.
func scan(t *testing.T, scanner string, s *state.State) map[string][]string {
	t.Helper()
	directory := t.TempDir()
	plan, manifests := terraform(s)
	for name, content := range map[string]any{"tfplan.json": plan, "manifests.json": manifests} {
		raw, err := json.Marshal(content)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(directory, name), raw, 0o600))
	}
	command := exec.CommandContext(t.Context(), scanner, "--skip-download", "--soft-fail", "--compact", "--quiet", "--directory", ".",
		"--framework", "terraform_plan", "kubernetes", "--output", "json")
	command.Dir = directory
	out, err := command.Output()
	require.NoError(t, err, string(out))
	type report struct {
		Results struct {
			FailedChecks []struct {
				ID       string `json:"check_id"`
				Name     string `json:"check_name"`
				Resource string `json:"resource"`
			} `json:"failed_checks"`
		} `json:"results"`
	}
	var reports []report
	if json.Unmarshal(out, &reports) != nil {
		var one report
		require.NoError(t, json.Unmarshal(out, &one), string(out))
		reports = []report{one}
	}
	found := map[string][]string{}
	for _, r := range reports {
		for _, f := range r.Results.FailedChecks {
			// The name of a resource that runs once ends in a checksum.
			resource := regexp.MustCompile(`-[0-9a-f]{10}$`).ReplaceAllString(f.Resource, "")
			found[f.ID+" "+f.Name] = append(found[f.ID+" "+f.Name], resource)
		}
	}
	for check, resources := range found {
		slices.Sort(resources)
		found[check] = slices.Compact(resources)
	}
	require.NotEmpty(t, found, "a scanner that finds nothing at all has read nothing")
	return found
}

// terraformNames are the types whose Terraform name does not follow from Pulumi's.
var terraformNames = map[string]string{
	"s3/bucketV2": "s3_bucket", "s3/bucketLifecycleConfigurationV2": "s3_bucket_lifecycle_configuration",
	"s3/bucketServerSideEncryptionConfigurationV2": "s3_bucket_server_side_encryption_configuration",
	"s3/bucketVersioningV2":                        "s3_bucket_versioning", "s3/bucketObjectv2": "s3_object",
	"lb/loadBalancer": "lb", "rds/instance": "db_instance", "rds/parameterGroup": "db_parameter_group", "rds/subnetGroup": "db_subnet_group",
	"vpc/securityGroupEgressRule": "vpc_security_group_egress_rule", "vpc/securityGroupIngressRule": "vpc_security_group_ingress_rule",
}

var capital = regexp.MustCompile(`[A-Z]`)

// snake returns a property's name in Terraform.
func snake(name string) string {
	return capital.ReplaceAllStringFunc(name, func(c string) string { return "_" + strings.ToLower(c) })
}

// address returns a resource's address in Terraform.
func address(r *state.Resource) (kind, name string) {
	module := strings.Split(r.Type, ":")[1]
	service, one, _ := strings.Cut(module, "/")
	kind = "aws_" + service + "_" + snake(one)
	if service == "ec2" {
		kind = "aws_" + snake(one)
	}
	return cmp.Or(prefixed(terraformNames[module]), kind), regexp.MustCompile(`\W`).ReplaceAllString(r.Name, "_")
}

func prefixed(name string) string {
	if name == "" {
		return ""
	}
	return "aws_" + name
}

// values converts a resource's properties to a Terraform plan: a block is a list of one, and its name is singular.
func values(properties map[string]any) map[string]any {
	all := map[string]any{}
	for key, value := range properties {
		name := snake(key)
		switch v := value.(type) {
		case map[string]any:
			all[name] = []any{values(v)}
			if name == "tags" || name == "tags_all" || name == "parameters" {
				all[name] = v
			}
		case []any:
			blocks := []any{}
			for _, one := range v {
				if block, ok := one.(map[string]any); ok {
					one = values(block)
				}
				blocks = append(blocks, one)
			}
			all[name] = blocks
			if singular := strings.TrimSuffix(name, "s"); len(blocks) > 0 && singular != name {
				if _, block := blocks[0].(map[string]any); block {
					if stem, ok := strings.CutSuffix(name, "ies"); ok {
						singular = stem + "y"
					} else if stem, ok := strings.CutSuffix(name, "ases"); ok {
						singular = stem + "as"
					}
					all[singular] = blocks
				}
			}
		default:
			all[name] = value
		}
	}
	return all
}

// terraform converts a state to a Terraform plan, and its Kubernetes objects to manifests. Scanners read these formats.
func terraform(s *state.State) (plan, manifests map[string]any) {
	known := map[string]string{}
	var all []*state.Resource
	objects := []any{}
	// A setting of a bucket has the bucket's id; the bucket itself has an ARN.
	named := slices.Clone(s.Live)
	slices.SortStableFunc(named, func(a, b *state.Resource) int {
		return cmp.Compare(min(len(b.Text("arn")), 1), min(len(a.Text("arn")), 1))
	})
	for _, r := range named {
		switch {
		case strings.HasPrefix(r.Type, "aws:"):
			all = append(all, r)
			kind, name := address(r)
			for _, id := range []string{r.ID, r.Text("arn"), r.Text("dnsName")} {
				if _, taken := known[id]; !taken && id != "" {
					known[id] = kind + "." + name
				}
			}
		case strings.HasPrefix(r.Type, "kubernetes:") && r.Type != state.HelmRelease:
			objects = append(objects, r.Inputs)
		}
	}
	var planned, changes, configured []any
	for _, r := range all {
		kind, name := address(r)
		of := func(more map[string]any) map[string]any {
			maps.Copy(more, map[string]any{"address": kind + "." + name, "mode": "managed", "type": kind, "name": name,
				"provider_name": "registry.terraform.io/hashicorp/aws", "schema_version": 1})
			return more
		}
		properties := values(r.Outputs)
		planned = append(planned, of(map[string]any{"values": properties}))
		changes = append(changes, of(map[string]any{"change": map[string]any{
			"actions": []string{"create"}, "before": nil, "after": properties, "after_unknown": map[string]any{},
		}}))
		configured = append(configured, of(map[string]any{"provider_config_key": "aws", "expressions": references(r, known, kind+"."+name)}))
	}
	return map[string]any{
		"format_version": "1.2", "terraform_version": "1.5.0",
		"planned_values": map[string]any{"root_module": map[string]any{"resources": planned}}, "resource_changes": changes,
		"configuration": map[string]any{"root_module": map[string]any{"resources": configured}},
	}, map[string]any{"apiVersion": "v1", "kind": "List", "items": objects}
}

// references returns the resources that a resource's inputs name.
func references(r *state.Resource, known map[string]string, own string) map[string]any {
	all := map[string]any{}
	for _, key := range slices.Sorted(maps.Keys(r.Inputs)) {
		found := map[string]bool{}
		state.Walk(map[string]any{key: r.Inputs[key]}, func(_, value string) {
			if to := known[value]; to != "" && to != own {
				found[to] = true
			}
		})
		if len(found) > 0 {
			name := snake(key)
			if stem, ok := strings.CutSuffix(name, "ases"); ok {
				name = stem + "as"
			}
			var to []string
			for _, one := range slices.Sorted(maps.Keys(found)) {
				to = append(to, one+".id", one) // in the order of a plan
			}
			all[name] = map[string]any{"references": to}
		}
	}
	return all
}

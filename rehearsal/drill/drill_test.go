package drill_test

import (
	"archive/zip"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/drill"
	"github.com/wso2is-aws/wso2is/rehearsal/drill/sandbox"
	"github.com/wso2is-aws/wso2is/rehearsal/drill/server"
	"github.com/wso2is-aws/wso2is/rehearsal/proof"
	"github.com/wso2is-aws/wso2is/rehearsal/rehearse"
	"github.com/wso2is-aws/wso2is/rehearsal/rehearse/rehearsetest"
	"github.com/wso2is-aws/wso2is/stacks"
)

func TestMain(m *testing.M) {
	drill.Serve()
	os.Exit(m.Run())
}

// stackOf rehearses a stack file up to its first up.
func stackOf(t *testing.T, stack, file string) drill.Options {
	t.Helper()
	prove := func(exported []byte, configuration map[string]string, _ ...[]byte) (*proof.Report, error) {
		want, err := proof.ExpectedFrom(configuration)
		if err != nil {
			return nil, err
		}
		return proof.Check(exported, want)
	}
	exported, configuration, err := rehearse.First(t.Context(), rehearse.Options{
		Program: stacks.Deploy, Project: "wso2is", Stack: stack, StackFile: file, Pulumi: rehearsetest.Engine(t), Final: true, Prove: prove,
	})
	require.NoError(t, err)
	return drill.Options{
		Stack: stack, State: exported, Jars: filepath.Join("..", "..", ".cache", "jars"), APIServer: filepath.Join("..", "apiserver"),
		Prove: func(damaged []byte) (*proof.Report, error) { return prove(damaged, configuration) },
	}
}

// run drills, and expects that every trial passes.
func run(t *testing.T, o drill.Options) *drill.Result {
	t.Helper()
	said := &strings.Builder{}
	o.Output = said
	result, err := drill.Run(t.Context(), o)
	var missing sandbox.Missing
	if errors.As(err, &missing) {
		t.Skip(missing)
	}
	require.NoError(t, err, "%s", said)
	require.NoError(t, result.Err(), "%s", said)
	return result
}

// TestDevRuns runs the shipped stack dev on this machine. Its cluster forms, serves while each node is shut down in
// turn, and does not form if a rule is missing.
func TestDevRuns(t *testing.T) {
	o := stackOf(t, "dev", "../../Pulumi.dev.yaml")
	o.Short = true
	result := run(t, o)
	require.Len(t, result.Trials, 4)
	require.Greater(t, result.Trials[1].Requests, 50)
	written, err := rehearse.WriteDrill(t.TempDir(), "dev", result)
	require.NoError(t, err)
	page, err := os.ReadFile(written[0])
	require.NoError(t, err)
	require.Contains(t, string(page), "Members {size:2", "Hazelcast's own log is the witness")
	require.Contains(t, string(page), "| server | a stand-in of WSO2 Identity Server 7.3.0 |")
	require.Contains(t, string(page), "no ingress rule of wso2is-dev-nodes lets wso2is-dev-nodes in", "the proof gives the reason")
}

// changed is the shipped stack file dev with other values.
func changed(t *testing.T, from, to string) string {
	t.Helper()
	raw, err := os.ReadFile("../../Pulumi.dev.yaml")
	require.NoError(t, err)
	require.Contains(t, string(raw), from)
	file := filepath.Join(t.TempDir(), "Pulumi.dev.yaml")
	require.NoError(t, os.WriteFile(file, []byte(strings.Replace(string(raw), from, to, 1)), 0o600))
	return file
}

// long are tests of some minutes, which run with DRILL_TESTS=all.
func long(t *testing.T) {
	t.Helper()
	if os.Getenv("DRILL_TESTS") != "all" {
		t.Skip("takes minutes; DRILL_TESTS=all runs it")
	}
}

// TestEachCachingScenario revokes a session under each of the guide's five scenarios, and tries it on the other node.
func TestEachCachingScenario(t *testing.T) {
	long(t)
	for _, scenario := range []string{"localWithInvalidation", "localOnly", "none", "selectedOff, disabled: [oauth_cache]", "distributed"} {
		t.Run(strings.Split(scenario, ",")[0], func(t *testing.T) {
			const clustering = "  wso2is:clustering:\n    scheme: wka\n"
			other := clustering
			if scenario == "localOnly" || scenario == "none" {
				other = ""
			}
			o := stackOf(t, "dev", changed(t, clustering, other+"  wso2is:caching: {scenario: "+scenario+"}\n"))
			o.Only = []string{"form", "revoke"}
			result := run(t, o)
			require.Len(t, result.Trials, 2)
			revoked := result.Trials[1]
			t.Logf("%s, allowed: %s", revoked.Measured, revoked.Bound)
			if scenario == "localOnly" {
				require.Greater(t, revoked.Ended-revoked.Began, 30*time.Second, "the other node's entry lives its minute")
			}
		})
	}
}

// TestADirectoryRuns gives dev a directory behind LDAPS, which its NAT gateway reaches, or which is in the VPC and not in the state.
// Its nodes bind there with the settings of their user store, and none gets ready without the rule that lets it out.
func TestADirectoryRuns(t *testing.T) {
	long(t)
	const removed = "the rule for the users' directory removed"
	for cidr, trials := range map[string][]string{"203.0.113.32/28": {"boot"}, "10.0.200.16/28": {"form", removed}} {
		t.Run(cidr, func(t *testing.T) {
			o := stackOf(t, "dev", changed(t, "  wso2is:nodes:\n", "  wso2is:userStore: {type: readOnlyLdap, url: 'ldaps://ldap.example.com:1636', cidrs: ["+cidr+"], "+
				"bindDn: 'CN=Bind & Co,DC=example,DC=com', userSearchBase: 'OU=Users,DC=example,DC=com', bindPassword: {secure: 'v1:x:y'}}\n  wso2is:nodes:\n"))
			o.Only = trials
			result := run(t, o)
			require.Len(t, result.Trials, len(trials))
			require.True(t, slices.ContainsFunc(result.Programs, func(p drill.Program) bool { return p.Name == "OpenLDAP" }))
			if len(trials) > 1 {
				require.Contains(t, result.Trials[1].Events[0].What, "lets tcp 1636 out to the directory at "+cidr, "the proof gives the reason")
				t.Log(result.Trials[1].Measured)
			}
		})
	}
}

// TestAnArchiveOfTheProductRuns runs an archive with the product's layout, whose program starts the stand-in from its source.
func TestAnArchiveOfTheProductRuns(t *testing.T) {
	long(t)
	o := stackOf(t, "dev", "../../Pulumi.dev.yaml")
	dir, home := t.TempDir(), "wso2is-7.3.0/"
	store := filepath.Join(dir, "store")
	out, err := exec.Command("keytool", "-genkeypair", "-keystore", store, "-storetype", "PKCS12", "-storepass", "wso2carbon", "-alias", "shipped", "-keyalg", "EC",
		"-dname", "CN=shipped").CombinedOutput()
	require.NoError(t, err, "%s", out)
	trusted, err := os.ReadFile(store)
	require.NoError(t, err)
	jars, err := filepath.Abs(o.Jars)
	require.NoError(t, err)
	file, err := os.Create(filepath.Join(dir, "wso2is-7.3.0.zip"))
	require.NoError(t, err)
	all := zip.NewWriter(file)
	for name, content := range map[string]string{
		"bin/wso2server.sh": "#!/bin/sh\n[ \"${1:-}\" != stop ] || exit 0\nexec >>\"$CARBON_HOME/repository/logs/wso2carbon.log\" 2>&1\n" +
			"exec \"$JAVA_HOME/bin/java\" -Xmx200m --add-modules java.se -cp \"" + jars + "/hazelcast-5.3.6.jar:$(echo \"$CARBON_HOME\"/repository/components/lib/*.jar)\" " +
			"\"-Djavax.net.ssl.trustStore=$CARBON_HOME/repository/resources/security/client-truststore.p12\" -Djavax.net.ssl.trustStorePassword=wso2carbon " +
			"\"$CARBON_HOME/lib/StandIn.java\" product 7.3.0 \"$CARBON_HOME\"\n",
		"lib/StandIn.java": server.Source, "repository/conf/log4j2.properties": "loggers = root\n", "repository/components/lib/": "",
		"repository/deployment/server/userstores/": "", "repository/tenants/": "", "repository/logs/": "",
		"repository/resources/security/client-truststore.p12": string(trusted),
	} {
		header := &zip.FileHeader{Name: home + name}
		header.SetMode(0o755)
		if strings.HasSuffix(name, "/") {
			header.SetMode(os.ModeDir | 0o755)
		}
		w, err := all.CreateHeader(header)
		require.NoError(t, err)
		_, err = w.Write([]byte(content))
		require.NoError(t, err)
	}
	require.NoError(t, all.Close())
	require.NoError(t, file.Close())
	o.Product = file.Name()
	result := run(t, o)
	require.Len(t, result.Trials, 3)
	require.False(t, result.StandIn)
	require.Contains(t, result.Programs, drill.Program{Name: "server", Version: "WSO2 Identity Server 7.3.0 of wso2is-7.3.0.zip"})
	t.Log(result.Trials[0].Measured)
}

// TestEachReleasesHazelcast forms a cluster with the Hazelcast of each release of the product that has another one.
func TestEachReleasesHazelcast(t *testing.T) {
	long(t)
	for version, hazelcast := range map[string]string{"5.11.0": "3.12.2", "6.0.0": "4.2.5", "6.1.0": "4.2.6"} {
		t.Run(version, func(t *testing.T) {
			o := stackOf(t, "dev", changed(t, "wso2is:version: 7.3.0", "wso2is:version: "+version))
			o.Only = []string{"form", "first node stops", "revoke"}
			result := run(t, o)
			require.Len(t, result.Trials, 3)
			require.Contains(t, result.Programs, drill.Program{Name: "Hazelcast", Version: hazelcast})
			t.Log(result.Trials[0].Measured)
		})
	}
}

// TestClustersOfManySizesForm measures the time until a cluster has formed, and starts one of two nodes again and again.
func TestClustersOfManySizesForm(t *testing.T) {
	long(t)
	for nodes, trials := range map[int][]string{2: {"form", "starts"}, 3: {"form"}, 10: {"form"}, 20: {"form"}} {
		t.Run(fmt.Sprint(nodes), func(t *testing.T) {
			o := stackOf(t, "dev", changed(t, "    count: 2\n", fmt.Sprintf("    count: %d\n", nodes)))
			o.Only = trials
			for _, one := range run(t, o).Trials {
				t.Logf("%s: %s", one.Name, one.Measured)
			}
		})
	}
}

// TestContainersRunTheirOwnCommands starts the containers of tasks and pods with the commands, variables, secrets and volumes of the state.
// Without a secret or a volume, or with a wrong command, no node gets ready, and the proofs say why.
func TestContainersRunTheirOwnCommands(t *testing.T) {
	long(t)
	for _, stack := range []string{"ecs", "fargate", "eks"} {
		t.Run(stack, func(t *testing.T) {
			o := stackOf(t, stack, "../../docs/examples/Pulumi."+stack+".yaml")
			o.Only = []string{"boot", "the server's container without the secret of its keystore", "the server's container without the volume of the driver",
				"a command of prepare that AWS' command line does not know"}
			result := run(t, o)
			require.Len(t, result.Trials, 4)
			for _, one := range result.Trials {
				t.Logf("%s: %s", one.Name, one.Measured)
			}
			require.Contains(t, result.Trials[1].Events[0].What, "reads the variable WSO2_KEYSTORE, which nothing gives it", "the proof gives the reason")
		})
	}
}

// TestAnotherStacksNodesAreNotJoined has a node of a stack of another name in the account, for each discovery. Without the name in what
// nodes look for, it is joined.
func TestAnotherStacksNodesAreNotJoined(t *testing.T) {
	long(t)
	for stack, file := range map[string]string{
		"prod": "../../Pulumi.prod.yaml", "ecs": "../../docs/examples/Pulumi.ecs.yaml", "fargate": "../../docs/examples/Pulumi.fargate.yaml",
		"eks": "../../docs/examples/Pulumi.eks.yaml",
	} {
		t.Run(stack, func(t *testing.T) {
			o := stackOf(t, stack, file)
			o.Only = []string{"strangers"}
			result := run(t, o)
			require.Len(t, result.Trials, 1)
			t.Log(result.Trials[0].Measured)
		})
	}
}

// TestPodsRun runs the example for EKS: its pods find each other through the API server of Kubernetes itself, and do not while a
// NetworkPolicy keeps them apart.
func TestPodsRun(t *testing.T) {
	long(t)
	o := stackOf(t, "eks", "../../docs/examples/Pulumi.eks.yaml")
	o.Short = true
	result := run(t, o)
	require.Len(t, result.Trials, 4)
	require.Zero(t, result.Trials[1].Failed, "a deleted pod leaves the target group before it stops")
	require.Contains(t, result.Trials[3].Events[0].What, "no NetworkPolicy lets tcp 5701", "the proof gives the reason")
	require.True(t, slices.ContainsFunc(result.Programs, func(p drill.Program) bool { return p.Name == "Kubernetes' API server" }))
}

//go:build linux

package judge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/drill/netns"
	"github.com/wso2is-aws/wso2is/rehearsal/drill/sandbox"
	"github.com/wso2is-aws/wso2is/rehearsal/drill/vpc"
	"github.com/wso2is-aws/wso2is/rehearsal/rehearse"
	"github.com/wso2is-aws/wso2is/rehearsal/rehearse/rehearsetest"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
	"github.com/wso2is-aws/wso2is/stacks"
)

func TestMain(m *testing.M) {
	sandbox.Serve(map[string]sandbox.Part{"judge": judge})
	os.Exit(m.Run())
}

// question is a state, and every how many mutants one is tried.
type question struct {
	State []byte
	Each  int
}

type answer struct {
	Mutants, Connections, Made int
	Disagreements              []string
}

// judge compares a state and its mutants.
func judge(_ context.Context, input []byte, _ io.Writer) ([]byte, error) {
	var q question
	if err := json.Unmarshal(input, &q); err != nil {
		return nil, err
	}
	s, err := state.Read(q.State)
	if err != nil {
		return nil, err
	}
	n, err := vpc.Of(s)
	if err != nil {
		return nil, err
	}
	w, err := netns.NewWorld(n)
	if err != nil {
		return nil, err
	}
	mutants, err := Mutants(q.State)
	if err != nil {
		return nil, err
	}
	a := answer{}
	for i, m := range append([]Mutant{{"the state as it is", s}}, mutants...) {
		if i%q.Each != 0 {
			continue
		}
		count, found, err := Compare(w, m.State)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.Name, err)
		}
		a.Mutants++
		a.Connections += count.Connections
		a.Made += count.Made
		for _, d := range found {
			a.Disagreements = append(a.Disagreements, m.Name+": "+d.String())
		}
	}
	return json.Marshal(a)
}

// TestProofAgreesWithTheKernel compares the proof of connections with the kernel, for shipped stacks and for damaged
// copies of them. Some mutants are tried, and all of them with JUDGE_TESTS=all.
func TestProofAgreesWithTheKernel(t *testing.T) {
	if _, err := sandbox.Tools(sandbox.Tool{Name: "ip", Package: "iproute2"}, sandbox.Tool{Name: "nft", Package: "nftables"}); err != nil {
		t.Skip(err)
	}
	for file, each := range map[string]int{
		"Pulumi.dev.yaml": 20, "Pulumi.prod.yaml": 40, "docs/examples/Pulumi.ecs.yaml": 160, "docs/examples/Pulumi.fargate.yaml": 160,
		"docs/examples/Pulumi.eks.yaml": 170,
	} {
		if os.Getenv("JUDGE_TESTS") == "all" {
			each = 1
		}
		t.Run(file, func(t *testing.T) {
			input, err := json.Marshal(question{exported(t, file), each})
			require.NoError(t, err)
			output, err := sandbox.Run(t.Context(), "judge", input, os.Stderr)
			var missing sandbox.Missing
			if errors.As(err, &missing) {
				t.Skip(missing)
			}
			require.NoError(t, err)
			var a answer
			require.NoError(t, json.Unmarshal(output, &a))
			t.Logf("%d states, %d connections tried, %d of them made", a.Mutants, a.Connections, a.Made)
			require.Greater(t, a.Made, 20*a.Mutants, "the shipped state alone has more connections than these")
			require.Empty(t, a.Disagreements)
		})
	}
}

// exported returns the state of a shipped stack after its first up.
func exported(t *testing.T, file string) []byte {
	t.Helper()
	_, stack, _ := strings.Cut(strings.TrimSuffix(file, ".yaml"), "Pulumi.")
	s, err := rehearse.Open(t.Context(), rehearse.Options{
		Program: stacks.Deploy, Project: "wso2is", Stack: stack, StackFile: "../../../" + file,
		Pulumi: rehearsetest.Engine(t), Final: true,
	})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	_, err = s.Up(t.Context(), optup.SuppressOutputs(), optup.SuppressProgress())
	require.NoError(t, err)
	raw, err := s.Export(t.Context())
	require.NoError(t, err)
	return raw
}

package tests

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/components/cluster"
	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/configtest"
	"github.com/wso2is-aws/wso2is/config/stackfile"
	"github.com/wso2is-aws/wso2is/stacks"
	"github.com/wso2is-aws/wso2is/stacks/stackstest"
)

// registered is one resource that the program registered.
type registered = stackstest.Resource

// plan has the resources of a program.
type plan struct{ stackstest.Plan }

// tryDeploy runs the program with the minimal configuration and changes; secretKeys are stored as secrets.
func tryDeploy(t *testing.T, changes map[string]any, secretKeys ...string) (*plan, error) {
	t.Helper()
	return run(t, "test", configtest.Source(configtest.With(changes)), secretKeys)
}

func run(t *testing.T, stack string, source config.Source, secretKeys []string) (*plan, error) {
	t.Helper()
	p := &plan{}
	return p, p.run(t, stack, source, secretKeys)
}

func (p *plan) run(t *testing.T, stack string, source config.Source, secretKeys []string) error {
	t.Helper()
	values := map[string]string{}
	for _, key := range source.Keys() {
		values[key], _ = source.Get(key)
	}
	full := make([]string, len(secretKeys))
	for i, key := range secretKeys {
		full[i] = configtest.Full(key)
	}
	err := p.Run(t, stacks.Deploy, stack, values, full...)
	var refused *cluster.Refused
	if errors.As(err, &refused) {
		return refused.Cause
	}
	return err
}

// shipped runs the program with a stack file of the repository.
func shipped(t *testing.T, stack string) *stackstest.Plan {
	t.Helper()
	return stackstest.Deploy(t, stackfile.Find("..", stack))
}

func deploy(t *testing.T, changes map[string]any, secretKeys ...string) *plan {
	t.Helper()
	p, err := tryDeploy(t, changes, secretKeys...)
	require.NoError(t, err)
	return p
}

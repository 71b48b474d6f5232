package tests

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/wso2is-aws/wso2is/components/cluster"
	"github.com/wso2is-aws/wso2is/components/componenttest"
	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/configtest"
	"github.com/wso2is-aws/wso2is/stacks"
)

// registered is one resource that the program registered.
type registered = componenttest.Resource

// plan has the resources and the exports of a program.
type plan struct {
	componenttest.Plan
	// mu guards the fields below.
	mu      sync.Mutex
	invoked []string
	// parameters are the names of the Parameter Store's parameters that the program read.
	parameters []string
	// calls are the called functions with their providers.
	calls []string
	// tags answers look-ups by tags; nil finds no resource.
	tags func(filters resource.PropertyMap) (resource.PropertyMap, error)
	// zones are the ids of the account's zones by name; nil means three in eu-west-1.
	zones map[string]string
}

// Call answers the functions that the program may call; any other fails the test.
func (p *plan) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	p.mu.Lock()
	p.invoked = append(p.invoked, args.Token)
	if args.Token == "aws:ssm/getParameter:getParameter" {
		p.parameters = append(p.parameters, args.Args["name"].StringValue())
	}
	if strings.HasPrefix(args.Token, "aws:") {
		p.calls = append(p.calls, args.Token+" through "+args.Provider)
	}
	p.mu.Unlock()
	switch args.Token {
	case "aws:index/getAvailabilityZones:getAvailabilityZones":
		zones := p.zones
		if zones == nil {
			zones = map[string]string{"eu-west-1a": "euw1-az1", "eu-west-1b": "euw1-az2", "eu-west-1c": "euw1-az3"}
		}
		var names, ids []any
		for _, name := range slices.Sorted(maps.Keys(zones)) {
			names, ids = append(names, name), append(ids, zones[name])
		}
		return resource.NewPropertyMapFromMap(map[string]any{"names": names, "zoneIds": ids}), nil
	case "aws:index/getCallerIdentity:getCallerIdentity":
		return resource.NewPropertyMapFromMap(map[string]any{"accountId": "123456789012"}), nil
	case "aws:index/getRegion:getRegion":
		name := "eu-west-1"
		if strings.Contains(args.Provider, "-eu-central-1::") {
			name = "eu-central-1"
		}
		return resource.NewPropertyMapFromMap(map[string]any{"name": name}), nil
	case "aws:index/getPartition:getPartition":
		return resource.NewPropertyMapFromMap(map[string]any{"partition": "aws"}), nil
	case "aws:resourcegroupstaggingapi/getResources:getResources":
		if p.tags != nil {
			return p.tags(args.Args)
		}
		return resource.NewPropertyMapFromMap(map[string]any{"resourceTagMappingLists": []any{}}), nil
	case "aws:ssm/getParameter:getParameter":
		return resource.NewPropertyMapFromMap(map[string]any{"insecureValue": "ami-0123456789abcdef0", "value": "ami-0123456789abcdef0"}), nil
	}
	if answer, ok := answersOfEKS(args); ok {
		return answer, nil
	}
	return nil, fmt.Errorf("the program calls %s, which no test expects", args.Token)
}

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
	text, err := json.Marshal(values)
	require.NoError(t, err)
	t.Setenv(pulumi.EnvConfig, string(text))
	full := make([]string, len(secretKeys))
	for i, key := range secretKeys {
		full[i] = configtest.Full(key)
	}
	encrypted, err := json.Marshal(full)
	require.NoError(t, err)
	t.Setenv(pulumi.EnvConfigSecretKeys, string(encrypted))
	err = pulumi.RunErr(stacks.Deploy, pulumi.WithMocks("wso2is", stack, p))
	var refused *cluster.Refused
	if errors.As(err, &refused) {
		return refused.Cause
	}
	return err
}

// shipped runs the program with a stack file of the repository.
func shipped(t *testing.T, stack string) *plan {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "Pulumi."+stack+".yaml"))
	if errors.Is(err, fs.ErrNotExist) {
		text, err = os.ReadFile(filepath.Join("..", "docs", "examples", "Pulumi."+stack+".yaml"))
	}
	require.NoError(t, err)
	var file struct {
		Config map[string]any `yaml:"config"`
	}
	require.NoError(t, yaml.Unmarshal(text, &file))
	values := map[string]any{}
	for key, value := range file.Config {
		values[strings.TrimPrefix(key, "wso2is:")] = value
	}
	p, err := run(t, stack, configtest.Source(values), nil)
	require.NoError(t, err)
	return p
}

func deploy(t *testing.T, changes map[string]any, secretKeys ...string) *plan {
	t.Helper()
	p, err := tryDeploy(t, changes, secretKeys...)
	require.NoError(t, err)
	return p
}

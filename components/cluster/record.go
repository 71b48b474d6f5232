package cluster

import (
	"maps"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/config"
)

// ConfigurationInput is the component's input with its configuration by full key. InputsOutput is its output with the inputs from
// other resources, by their stand-in values in the configuration. Together they say in the state what a stack file says for
// its stack, so that the proofs know what is expected of each cluster of a program.
const (
	ConfigurationInput = "configuration"
	InputsOutput       = "inputs"
)

// record returns the inputs of the component. They have no secrets. They are plain values: with an output in them, all
// resources of the cluster would wait for it. A cluster with a stack file needs no record.
func (p *environment) record(args *Args) pulumi.Map {
	if args.Whole {
		return nil
	}
	public := config.Public(p.written)
	maps.DeleteFunc(public, func(key, _ string) bool {
		return key != config.RegionKey && strings.HasPrefix(key, config.ProviderNamespace)
	})
	return pulumi.Map{ConfigurationInput: pulumi.ToStringMap(public)}
}

// recordedInputs returns outputs with the inputs from other resources.
func recordedInputs(outputs pulumi.Map, inputs map[string]pulumi.StringInput) pulumi.Map {
	if len(inputs) == 0 {
		return outputs
	}
	all := maps.Clone(outputs)
	all[InputsOutput] = pulumi.StringMap(inputs)
	return all
}

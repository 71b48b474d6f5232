package state

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Part is one cluster of a program: its component with everything in it, and what it uses of the program's other resources.
type Part struct {
	// Name is the component's logical name, URN its URN.
	Name, URN string
	// Configuration is the configuration that the component records in its inputs, by full key. The values of other resources
	// that flow into it are in their places.
	Configuration map[string]string
	// Exported is the part's state, and Others the state of everything else, both in the format of `pulumi stack export`.
	Exported, Others []byte
	// State is Exported as it was read.
	State *State
}

// configurationInput and inputsOutput are the properties in which a component records its configuration.
const (
	configurationInput = "configuration"
	inputsOutput       = "inputs"
)

// Parts returns the clusters that record their configuration. A stack with a stack file has none. Exported is the text of the
// state.
func (s *State) Parts(exported []byte) ([]Part, error) {
	if !slices.ContainsFunc(s.All, func(r *Resource) bool { return Recorded(r.Inputs) != nil }) {
		return nil, nil
	}
	untyped, deployment, err := open(exported)
	if err != nil {
		return nil, err
	}
	p := &parts{parent: map[resource.URN]resource.URN{}, custom: map[resource.URN]bool{}, all: deployment.Resources}
	for _, r := range deployment.Resources {
		p.parent[r.URN] = r.Parent
		p.custom[r.URN] = r.Custom && !strings.HasPrefix(string(r.Type), "pulumi:")
		if configuration := Recorded(r.Inputs); configuration != nil && !r.Custom && !r.Delete {
			for standIn, value := range AsObject(r.Outputs[inputsOutput]) {
				for key, text := range configuration {
					configuration[key] = strings.ReplaceAll(text, standIn, Text(value))
				}
			}
			p.clusters = append(p.clusters, r.URN)
			p.found = append(p.found, Part{Name: NameOf(string(r.URN)), URN: string(r.URN), Configuration: configuration})
		}
	}
	for i := range p.found {
		own := p.of(p.clusters[i])
		for _, part := range []struct {
			into *[]byte
			keep bool
		}{{&p.found[i].Exported, true}, {&p.found[i].Others, false}} {
			deployment.Resources = slices.DeleteFunc(slices.Clone(p.all), func(r apitype.ResourceV3) bool { return own[r.URN] != part.keep })
			if untyped.Deployment, err = json.Marshal(deployment); err == nil {
				*part.into, err = json.Marshal(untyped)
			}
			if err != nil {
				return nil, fmt.Errorf("writing a part of the state: %w", err)
			}
		}
		if p.found[i].State, err = Read(p.found[i].Exported); err != nil {
			return nil, err
		}
	}
	return p.found, nil
}

// Recorded returns the configuration that a component records in its inputs, or nil.
func Recorded(inputs map[string]any) map[string]string {
	written := AsObject(inputs[configurationInput])
	if written == nil || written["wso2is:hostname"] == nil {
		return nil
	}
	configuration := map[string]string{}
	for key, value := range written {
		configuration[key] = Text(value)
	}
	return configuration
}

func open(exported []byte) (apitype.UntypedDeployment, apitype.DeploymentV3, error) {
	var untyped apitype.UntypedDeployment
	var deployment apitype.DeploymentV3
	err := json.Unmarshal(exported, &untyped)
	if err == nil && len(untyped.Deployment) > 0 {
		err = json.Unmarshal(untyped.Deployment, &deployment)
	}
	if err != nil {
		return untyped, deployment, fmt.Errorf("reading the state: %w", err)
	}
	return untyped, deployment, nil
}

type parts struct {
	all    []apitype.ResourceV3
	parent map[resource.URN]resource.URN
	// custom are the resources of AWS and Kubernetes: neither providers nor components.
	custom   map[resource.URN]bool
	clusters []resource.URN
	found    []Part
}

// cluster returns the component that a resource is in, or nothing.
func (p *parts) cluster(urn resource.URN) resource.URN {
	for ; urn != ""; urn = p.parent[urn] {
		if slices.Contains(p.clusters, urn) {
			return urn
		}
	}
	return ""
}

// surroundings are types that say more about a resource to which they refer: the way of a packet in a VPC, and who may use
// the resource. No resource of a cluster refers to them.
var surroundings = []string{
	"aws:ec2/route:", "aws:ec2/routeTable", "aws:ec2/mainRouteTable", "aws:ec2/defaultRouteTable", "aws:ec2/networkAcl",
	"aws:ec2/defaultNetworkAcl", "aws:ec2/natGateway", "aws:ec2/internetGateway", "aws:ec2/vpcEndpoint", "aws:vpc/securityGroup",
	"aws:ec2/vpcIpv4CidrBlockAssociation", "aws:ecr/repositoryPolicy", "aws:efs/fileSystemPolicy", "aws:iam/rolePolicy", "aws:kms/keyPolicy",
	"aws:s3/bucketPolicy", "aws:secretsmanager/secretPolicy", "aws:sns/topicPolicy",
}

// of returns the resources of a cluster: those in it, what they refer to, and the surroundings of these. Resources of another
// cluster are in none of them.
func (p *parts) of(cluster resource.URN) map[resource.URN]bool {
	own := map[resource.URN]bool{}
	for _, r := range p.all {
		if p.cluster(r.URN) == cluster {
			own[r.URN] = true
		}
	}
	for before := 0; before != len(own); {
		before = len(own)
		for _, r := range slices.Backward(p.all) {
			used := uses(r)
			around := slices.ContainsFunc(surroundings, func(prefix string) bool { return strings.HasPrefix(string(r.Type), prefix) })
			if !own[r.URN] && around && p.cluster(r.URN) == "" &&
				slices.ContainsFunc(used, func(urn resource.URN) bool { return own[urn] && p.custom[urn] }) {
				own[r.URN] = true
			}
			if !own[r.URN] {
				continue
			}
			for _, urn := range used {
				if in := p.cluster(urn); in == "" || in == cluster {
					own[urn] = true
				}
			}
		}
	}
	return own
}

// uses returns everything that a resource refers to, with its parent and its provider.
func uses(r apitype.ResourceV3) []resource.URN {
	all := slices.Clone(r.Dependencies)
	for _, urns := range r.PropertyDependencies {
		all = append(all, urns...)
	}
	if r.Parent != "" {
		all = append(all, r.Parent)
	}
	if i := strings.LastIndex(r.Provider, "::"); i > 0 {
		all = append(all, resource.URN(r.Provider[:i]))
	}
	return all
}

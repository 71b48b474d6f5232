package cluster

import (
	"fmt"
	"maps"
	"reflect"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/config"
)

// environment has the values of the account and the region for a configuration.
type environment struct {
	ctx *pulumi.Context
	// make makes the AWS provider. If it is nil, the component uses the provider in its options, or else the default one.
	make     func(config.Cluster) (*aws.Provider, error)
	provider *aws.Provider
	// through is the option of every look-up.
	through pulumi.InvokeOption
	// inputs are outputs of other resources, by their stand-in values in the configuration.
	inputs map[string]pulumi.StringInput
	// written is the source of the configuration.
	written config.Source
	id      string
}

// load reads the configuration, and prints its warnings.
func (p *environment) load(name string, args *Args, opts []pulumi.ResourceOption) (config.Cluster, error) {
	env := config.Environment{
		Project: p.ctx.Project(), Stack: p.ctx.Stack(), Name: args.Name, Open: p.open, Zones: p.zones, AccountID: p.accountID,
	}
	if args.Name == "" && !args.Whole {
		env.Name = strings.ToLower(env.Project + "-" + env.Stack + "-" + name)
	}
	var source config.Source
	var err error
	if p.make == nil {
		source, err = p.inRegion(args, opts)
	} else {
		source, err = p.source(args, args.Config.Region)
	}
	if err != nil {
		return config.Cluster{}, err
	}
	p.written = source
	loaded, err := config.Load(source, env)
	if err != nil {
		return config.Cluster{}, err
	}
	for _, warning := range loaded.Warnings {
		if err := p.ctx.Log.Warn(warning, nil); err != nil {
			return config.Cluster{}, fmt.Errorf("printing a warning: %w", err)
		}
	}
	return loaded.Cluster, nil
}

// source returns the source of the configuration.
func (p *environment) source(args *Args, region string) (config.Source, error) {
	source := args.Source
	if source == nil {
		source = config.Typed(args.Config, args.Zero...)
	}
	source, inputs, err := withInputs(source, args, region)
	p.inputs = inputs
	return source, err
}

func (p *environment) open(c config.Cluster) error {
	if p.make == nil {
		return nil
	}
	var err error
	p.provider, err = p.make(c)
	p.through = pulumi.Provider(p.provider)
	return err
}

// inRegion returns the source of the arguments with the region of the provider in the options. A region in the source must be
// the same.
func (p *environment) inRegion(args *Args, opts []pulumi.ResourceOption) (config.Source, error) {
	options, err := pulumi.NewResourceOptions(opts...)
	if err != nil {
		return nil, fmt.Errorf("reading the options: %w", err)
	}
	p.through = pulumi.CompositeInvoke()
	if options.Parent != nil {
		p.through = pulumi.Parent(options.Parent)
	}
	explicit := false
	for _, given := range append(options.Providers, options.Provider) {
		if given, ok := given.(*aws.Provider); ok && given != nil {
			p.through, explicit = pulumi.Provider(given), true
		}
	}
	here, err := aws.GetRegion(p.ctx, &aws.GetRegionArgs{}, p.through)
	if err != nil {
		return nil, fmt.Errorf("looking up the region: %w", err)
	}
	source, err := p.source(args, here.Name)
	if err != nil {
		return nil, err
	}
	var problems config.Problems
	if written, ok := source.Get(config.RegionKey); ok && written != here.Name {
		problems = append(problems, config.Problem{
			Path: config.RegionKey, Problem: fmt.Sprintf("the region is %s, but the AWS provider has the region %s", written, here.Name),
			Fix: "leave the region out, or put a provider of that region into the component's options",
		})
	}
	// On eks, the kubeconfig uses these keys for the AWS CLI. On other topologies they would have no effect.
	topology, _ := source.Get(config.Namespace + ":topology")
	for _, key := range source.Keys() {
		if explicit && topology != string(config.EKS) && key != config.RegionKey && strings.HasPrefix(key, config.ProviderNamespace) {
			problems = append(problems, config.Problem{
				Path: key, Problem: "it has no effect, because the component's options have the AWS provider", Fix: "set it in the arguments of aws.NewProvider",
			})
		}
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return regional{Source: source, region: here.Name}, nil
}

// regional is a source with a region.
type regional struct {
	config.Source
	region string
}

// Get returns the region for its key.
func (r regional) Get(key string) (string, bool) {
	if key == config.RegionKey {
		return r.region, true
	}
	return r.Source.Get(key)
}

// Public returns the values of the source that are not secret, and the region.
func (r regional) Public() map[string]string {
	public := config.Public(r.Source)
	public[config.RegionKey] = r.region
	return public
}

// options returns the component's own options. A provider of the team does not have the cluster's tags, so they are added
// here.
func (p *environment) options(c config.Cluster) []pulumi.ResourceOption {
	if p.make != nil {
		return []pulumi.ResourceOption{pulumi.Providers(p.provider)}
	}
	return []pulumi.ResourceOption{pulumi.Transformations([]pulumi.ResourceTransformation{tagged(c.Tags)})}
}

// tagged adds tags to every resource that supports tags.
func tagged(tags map[string]string) pulumi.ResourceTransformation {
	return func(args *pulumi.ResourceTransformationArgs) *pulumi.ResourceTransformationResult {
		props := reflect.ValueOf(args.Props)
		if len(tags) == 0 || props.Kind() != reflect.Pointer || props.IsNil() || props.Elem().Kind() != reflect.Struct {
			return nil
		}
		field := props.Elem().FieldByName("Tags")
		if !field.IsValid() || field.Type() != reflect.TypeFor[pulumi.StringMapInput]() {
			return nil
		}
		all := pulumi.ToStringMap(tags)
		if own, ok := field.Interface().(pulumi.StringMap); ok {
			maps.Copy(all, own)
		}
		field.Set(reflect.ValueOf(all))
		return &pulumi.ResourceTransformationResult{Props: args.Props, Opts: args.Opts}
	}
}

// scope returns the values for names and policies. It looks up the account and the partition.
func (p *environment) scope(c config.Cluster) (awskit.Scope, error) {
	account, err := p.accountID()
	if err != nil {
		return awskit.Scope{}, err
	}
	partition, err := aws.GetPartition(p.ctx, &aws.GetPartitionArgs{}, p.through)
	if err != nil {
		return awskit.Scope{}, fmt.Errorf("looking up the partition: %w", err)
	}
	return awskit.Scope{
		Cluster: c.Name(), Region: c.Region, Partition: partition.Partition, Account: account, Protect: c.Profile == config.Prod,
		RolePath: c.IAM.Path, PermissionsBoundary: c.IAM.PermissionsBoundary,
	}, nil
}

func (p *environment) zones(region string) ([]config.Zone, error) {
	state := "available"
	// Local and wavelength zones support neither the load balancer nor the database.
	found, err := aws.GetAvailabilityZones(p.ctx, &aws.GetAvailabilityZonesArgs{
		State:   &state,
		Filters: []aws.GetAvailabilityZonesFilter{{Name: "opt-in-status", Values: []string{"opt-in-not-required"}}},
	}, p.through)
	if err != nil {
		return nil, fmt.Errorf("listing the zones of %s: %w", region, err)
	}
	// The provider lists names and ids in the same order (ec2_availability_zones_data_source.go).
	if len(found.ZoneIds) != len(found.Names) {
		return nil, fmt.Errorf("listing the zones of %s: %d names have %d ids", region, len(found.Names), len(found.ZoneIds))
	}
	zones := make([]config.Zone, len(found.Names))
	for i, name := range found.Names {
		zones[i] = config.Zone{Name: name, ID: found.ZoneIds[i]}
	}
	return zones, nil
}

func (p *environment) accountID() (string, error) {
	if p.id != "" {
		return p.id, nil
	}
	caller, err := aws.GetCallerIdentity(p.ctx, &aws.GetCallerIdentityArgs{}, p.through)
	if err != nil {
		return "", fmt.Errorf("looking up the account: %w", err)
	}
	p.id = caller.AccountId
	return p.id, nil
}

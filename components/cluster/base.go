package cluster

import (
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/components/backup"
	"github.com/wso2is-aws/wso2is/components/database"
	"github.com/wso2is-aws/wso2is/components/filesystem"
	"github.com/wso2is-aws/wso2is/components/firewall"
	"github.com/wso2is-aws/wso2is/components/loadbalancer"
	"github.com/wso2is-aws/wso2is/components/network"
	"github.com/wso2is-aws/wso2is/components/nginx"
	"github.com/wso2is-aws/wso2is/components/observability"
	"github.com/wso2is-aws/wso2is/components/registry"
	"github.com/wso2is-aws/wso2is/components/secrets"
	"github.com/wso2is-aws/wso2is/config"
)

// base has the components that every topology uses.
type base struct {
	network   *network.Network
	endpoints vpcEndpoints
	firewall  *firewall.Firewall
	secrets   *secrets.Secrets
	// before has the resources that nodes need before they start, such as the rules for their connections.
	before []pulumi.Resource
	// outputs are the outputs of the components so far.
	outputs pulumi.Map
}

func buildBase(
	ctx *pulumi.Context, c config.Cluster, scope awskit.Scope, values []secrets.Value, services []string, child pulumi.ResourceOption,
) (*base, error) {
	b := &base{endpoints: endpointsOf(c.Network), outputs: pulumi.Map{}}
	var err error
	in := &secrets.Args{
		Scope: scope, Values: values, RecoveryDays: c.Secrets.RecoveryDays, RetainKey: c.Secrets.RetainKeyOnDelete,
	}
	if c.Secrets.KeyARN != "" {
		in.Key = scope.Input(c.Secrets.KeyARN)
	}
	if to := c.Backup.CopyTo; to != nil {
		if to.SecretsKeyARN != "" {
			in.Replica = &secrets.Replica{Region: to.Region(), KeyARN: to.SecretsKeyARN}
		}
		if to.Account() != scope.Account {
			in.CopiesTo = to.Account()
		}
	}
	if b.secrets, err = secrets.New(ctx, scope.Named("secrets"), in, child); err != nil {
		return nil, err
	}
	b.outputs["secrets"] = pulumi.StringMap(awskit.Inputs(b.secrets.ARNs))
	var flows pulumi.StringInput
	if name := c.Network.FlowLogGroup; name != "" {
		flows = scope.Input(name)
	}
	if b.network, err = network.New(ctx, scope.Named("network"), &network.Args{
		Scope: scope, CIDR: c.Network.CIDR, Subnets: c.Subnets(), Reserved: c.Reservations(), NAT: c.Network.NAT, FlowLogs: c.Network.FlowLogs,
		LogRetention: c.Observability.LogRetention, KeyARN: b.secrets.KeyARN, Adopt: c.Network.Adopt,
		FlowLogGroup: flows,
	}, child); err != nil {
		return nil, err
	}
	prefixList, err := b.s3Endpoint(ctx, c, scope)
	if err != nil {
		return nil, err
	}
	if err := b.guard(ctx, c, scope, prefixList, child); err != nil {
		return nil, err
	}
	if err := b.interfaceEndpoints(ctx, c, scope, services, child); err != nil {
		return nil, err
	}
	return b, b.multicast(ctx, c, scope, child)
}

// guard makes the security groups. The prefix list belongs to the endpoint of S3. It is nil without such an endpoint.
func (b *base) guard(
	ctx *pulumi.Context, c config.Cluster, scope awskit.Scope, prefixList pulumi.StringInput, child pulumi.ResourceOption,
) error {
	args := &firewall.Args{
		Scope: scope, VPC: b.network.VPC, Flows: firewall.GroupFlows(c), Foreign: map[firewall.Endpoint]string{},
		Joined: map[firewall.Endpoint]string{}, S3PrefixList: prefixList, Absent: map[firewall.Endpoint]bool{
			firewall.S3: b.endpoints.s3 == noEndpoint, firewall.VPCEndpoints: b.endpoints.interfaces == noEndpoint,
		},
	}
	if existing := c.EKS.Cluster; existing != nil {
		args.Joined[firewall.Nodes] = existing.NodeSecurityGroup
	}
	if existing := c.Database.Existing; existing != nil && existing.SecurityGroup != "" {
		args.Joined[firewall.Database] = existing.SecurityGroup
	}
	if existing := c.FileSystem.Existing; existing != nil && existing.SecurityGroup != "" {
		args.Joined[firewall.FileSystem] = existing.SecurityGroup
		// Stacks with other file servers have had the rules under one name.
		args.Apart = map[firewall.Endpoint]bool{firewall.FileSystem: c.FileSystem.Type == config.EFS}
	}
	if existing := c.LoadBalancer.Existing; existing != nil && existing.SecurityGroup != "" {
		args.Foreign[firewall.LoadBalancer] = existing.SecurityGroup
	}
	if b.endpoints.interfaces == existingEndpoint {
		args.Foreign[firewall.VPCEndpoints] = c.Network.Adopt.EndpointSecurityGroup
	}
	var err error
	b.firewall, err = firewall.New(ctx, scope.Named("firewall"), args, child)
	if err != nil {
		return err
	}
	b.before = append(b.before, b.firewall.Rules...)
	return nil
}

// multicast makes the multicast domain for discovery.
func (b *base) multicast(ctx *pulumi.Context, c config.Cluster, scope awskit.Scope, child pulumi.ResourceOption) error {
	if !c.Clustered() || c.Clustering.Scheme != config.Multicast {
		return nil
	}
	multicast, err := network.NewMulticast(ctx, scope.Named("multicast"), scope, b.network, child)
	if err != nil {
		return err
	}
	b.before = append(b.before, multicast.Ready...)
	return nil
}

// data is the data that nodes share.
type data struct {
	database *database.Database
	files    *filesystem.FileSystem
	// backup is nil if the stack has no backup plan.
	backup *backup.Backup
}

func buildData(
	ctx *pulumi.Context, c config.Cluster, scope awskit.Scope, b *base, role pulumi.StringInput, child pulumi.ResourceOption,
) (*data, error) {
	db, err := buildDatabase(ctx, c, scope, b, child)
	if err != nil {
		return nil, err
	}
	files, err := buildFiles(ctx, c, scope, b, role, child)
	if err != nil {
		return nil, err
	}
	d := &data{database: db, files: files}
	return d, d.backUp(ctx, c, scope, b, child)
}

func buildFiles(
	ctx *pulumi.Context, c config.Cluster, scope awskit.Scope, b *base, role pulumi.StringInput, child pulumi.ResourceOption,
) (*filesystem.FileSystem, error) {
	share := filesystem.New
	switch {
	case c.FileSystem.Type != config.EFS:
		return filesystem.Existing(c.FileSystem), nil
	case !c.FileSystem.Made():
		share = filesystem.NewOnExisting
	}
	return share(ctx, scope.Named("filesystem"), &filesystem.Args{
		Scope: scope, FileSystem: c.FileSystem, RestoreFrom: c.RestoreFrom, Zones: b.network.Zones, Subnets: b.network.Private,
		SecurityGroup: b.firewall.Groups[firewall.FileSystem], KeyARN: b.secrets.KeyARN, NodeRole: role, Grants: c.EKS.Cluster == nil,
		RestoreGroup: b.firewall.Groups[firewall.Restore],
	}, child)
}

func buildDatabase(
	ctx *pulumi.Context, c config.Cluster, scope awskit.Scope, b *base, child pulumi.ResourceOption,
) (*database.Database, error) {
	if c.Database.Existing != nil {
		return database.Existing(scope, *c.Database.Existing), nil
	}
	return database.New(ctx, scope.Named("database"), &database.Args{
		Scope: scope, Database: c.Database, RestoreFrom: c.RestoreFrom, Subnets: b.network.InZones(b.network.Private),
		Zones: b.network.Zones, SecurityGroup: b.firewall.Groups[firewall.Database], KeyARN: b.secrets.KeyARN, Creation: b.secrets.Creation,
		LogRetention: c.Observability.LogRetention,
	}, child)
}

// backUp makes the backup plan for the shared data.
func (d *data) backUp(ctx *pulumi.Context, c config.Cluster, scope awskit.Scope, b *base, child pulumi.ResourceOption) error {
	if !c.Backup.Enabled {
		return nil
	}
	// The fingerprint of a secret key is not a secret itself.
	fingerprint := pulumi.Unsecret(b.secrets.Values[secrets.EncryptionKey].ApplyT(func(key string) (string, error) {
		return secrets.Fingerprint(key, scope.Cluster)
	})).(pulumi.StringOutput)
	var err error
	d.backup, err = backup.New(ctx, scope.Named("backup"), &backup.Args{
		Scope: scope, Config: c, KeyARN: b.secrets.KeyARN, Creation: b.secrets.Creation, Retain: c.Secrets.RetainKeyOnDelete,
		Databases: d.database.ARNs(), Files: d.files.ARNs(), Secrets: awskit.Inputs(b.secrets.ARNs),
		Versions: awskit.Inputs(b.secrets.Versions), Fingerprint: fingerprint,
	}, child)
	return err
}

// front is the load balancer and the monitoring of the nodes.
type front struct {
	balancer *loadbalancer.LoadBalancer
	// nginx is nil if the stack makes no nginx.
	nginx *nginx.Nginx
	// logGroup is the name of the nodes' log group, and logARN its ARN. logs is the group if the stack makes it.
	logGroup, logARN pulumi.StringInput
	logs             []pulumi.Resource
}

func buildFront(
	ctx *pulumi.Context, c config.Cluster, scope awskit.Scope, b *base, targetType string, child pulumi.ResourceOption,
) (*front, error) {
	balancer, err := buildBalancer(ctx, c, scope, b, targetType, child)
	if err != nil {
		return nil, err
	}
	if existing := c.Observability.LogGroup; existing != "" {
		name := scope.Input(existing)
		f := &front{balancer: balancer, logGroup: name, logARN: pulumi.Sprintf("%s%s", scope.ARN("logs", "log-group:"), name)}
		return f.behindNginx(ctx, c, scope, b, child)
	}
	group, err := observability.NewLogGroup(ctx, scope, c.Observability.LogRetention, b.secrets.KeyARN, child)
	if err != nil {
		return nil, err
	}
	// The name is a plain value, so that what has it does not wait for the group.
	name := pulumi.String(observability.LogGroupName(scope.Cluster))
	return (&front{balancer: balancer, logGroup: name, logARN: group.Arn, logs: []pulumi.Resource{group}}).behindNginx(ctx, c, scope, b, child)
}

// behindNginx makes the stack's own nginx, if the configuration has it.
func (f *front) behindNginx(
	ctx *pulumi.Context, c config.Cluster, scope awskit.Scope, b *base, child pulumi.ResourceOption,
) (*front, error) {
	if !c.Nginx() {
		return f, nil
	}
	var err error
	f.nginx, err = nginx.New(ctx, scope.Named("nginx"), &nginx.Args{
		Scope: scope, Config: c, Network: b.network, SecurityGroup: b.firewall.Groups[firewall.Nginx], Secrets: b.secrets,
		LoadBalancer: f.balancer, LogGroup: f.logGroup, LogGroupARN: f.logARN, Before: slices.Concat(b.before, f.logs),
	}, child)
	return f, err
}

// nodeGroups are the ids of the nodes' security groups: the stack's own and those of the team.
func (b *base) nodeGroups(c config.Cluster, scope awskit.Scope) pulumi.StringArray {
	groups := pulumi.StringArray{b.firewall.Groups[firewall.Nodes]}
	for _, id := range c.Nodes.SecurityGroups {
		groups = append(groups, scope.Input(id))
	}
	return groups
}

func buildBalancer(
	ctx *pulumi.Context, c config.Cluster, scope awskit.Scope, b *base, targetType string, child pulumi.ResourceOption,
) (*loadbalancer.LoadBalancer, error) {
	if c.LoadBalancer.Existing != nil && !c.LoadBalancer.OnListener() {
		return loadbalancer.Existing(scope, c.LoadBalancer), nil
	}
	subnets := b.network.Public
	if c.LoadBalancer.Internal {
		subnets = b.network.Private
	}
	balance := loadbalancer.New
	switch {
	case c.EKS.Registration == config.Ingress:
		balance = loadbalancer.NewForIngress
	case c.Nginx():
		balance = loadbalancer.NewForNginx
	case c.LoadBalancer.OnListener():
		balance = loadbalancer.NewOnListener
	}
	return balance(ctx, scope.Named("loadbalancer"), &loadbalancer.Args{
		Scope: scope, LoadBalancer: c.LoadBalancer, Hostname: c.Hostname, VPC: b.network.VPC,
		Subnets: b.network.InZones(subnets), SecurityGroup: b.firewall.Groups[firewall.LoadBalancer], TargetType: targetType,
		AliveOnly: c.AliveOnly(),
	}, child)
}

// watched has the facts about the nodes that alarms need.
type watched struct {
	// nodes is done when the first nodes serve.
	nodes pulumi.CustomResource
	// replaced reports whether a lost node is replaced automatically.
	replaced bool
	// startMinutes is the time a new node may take to serve after it becomes a target of the load balancer.
	startMinutes int
	// credits are the dimensions of the nodes' CPU credits, if their type has any.
	credits map[string]pulumi.StringMap
	// group is the nodes' Auto Scaling group, if its instances are refreshed. service is the nodes' ECS service.
	group   string
	service *observability.Service
}

func watch(
	ctx *pulumi.Context, c config.Cluster, scope awskit.Scope, d *data, f *front, of watched, child pulumi.ResourceOption,
) error {
	databases := map[string]observability.Database{}
	var backedUp []pulumi.StringInput
	if d.backup != nil {
		backedUp = append(awskit.Values(d.database.ARNs()), d.files.ARNs()...)
	}
	for name, instance := range d.database.Instances {
		if instance.Made == nil { // its owner monitors it
			continue
		}
		want := c.Database.Instances[name]
		databases[name] = observability.Database{
			Identifier: instance.Made.Identifier, Members: instance.Made.Members, Storage: want.Storage, Grows: want.MaxStorage > want.Storage,
			Connections: c.Database.MaxConnections(want.Class), Burstable: strings.HasPrefix(want.Class, "db.t"),
		}
	}
	credits := of.credits
	if !strings.HasPrefix(c.Nodes.InstanceType, "t") {
		credits = nil
	}
	var balancer, targets pulumi.StringInput
	if c.LoadBalancer.Existing == nil || c.LoadBalancer.OnListener() {
		balancer = f.balancer.ARNSuffix
		if c.EKS.Registration != config.Ingress {
			targets = f.balancer.TargetGroupSuffix
		}
	}
	var proxies *observability.Nginx
	if f.nginx != nil {
		proxies = &observability.Nginx{Group: f.nginx.Group, TargetGroup: f.balancer.ProxiesSuffix, Count: c.LoadBalancer.Nginx.Count}
	}
	_, err := observability.New(ctx, scope.Named("observability"), &observability.Args{
		Scope: scope, Nodes: c.Nodes.Count, Clustered: c.Clustered(), Replaced: of.replaced, StartMinutes: of.startMinutes,
		ImageDays: c.Observability.MaxImageAgeDays,
		Topic:     c.Observability.AlarmTopicARN, LoadBalancer: balancer, TargetGroup: targets, Shared: c.LoadBalancer.OnListener(),
		Certificate: f.balancer.Certificate, Credits: credits, Databases: databases, Group: of.group, Service: of.service,
		BackedUp: backedUp, Nginx: proxies,
		After: of.nodes,
	}, child)
	return err
}

// creditsOf returns the dimensions of a group's CPU credits. Their minimum is the balance of the group's lowest instance.
func creditsOf(group pulumi.StringInput) map[string]pulumi.StringMap {
	return map[string]pulumi.StringMap{"": {"AutoScalingGroupName": group}}
}

// ownRepositories makes the cluster's own image repositories if the configuration has them. The nodes depend on them.
func (b *base) ownRepositories(
	ctx *pulumi.Context, c config.Cluster, scope awskit.Scope, child pulumi.ResourceOption,
) ([]pulumi.Resource, error) {
	if !c.Container.Repository {
		return nil, nil
	}
	own, err := registry.New(ctx, scope.Named("registry"), scope, c, child)
	if err != nil {
		return nil, err
	}
	b.outputs["repositories"] = pulumi.StringMap(awskit.Inputs(own.URLs))
	return own.Repositories, nil
}

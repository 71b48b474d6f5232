package ecscluster

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/components/bootstrap"
	"github.com/wso2is-aws/wso2is/components/container"
	"github.com/wso2is-aws/wso2is/components/filesystem"
	"github.com/wso2is-aws/wso2is/components/nodefiles"
	"github.com/wso2is-aws/wso2is/components/secrets"
	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/instancetype"
	"github.com/wso2is-aws/wso2is/config/ports"
)

// The containers of a task.
const (
	prepareContainer = "prepare"
	serverContainer  = "server"
	membersContainer = "members"
	turnContainer    = "turn"
	schemaContainer  = "schema"
)

// imageVolume is the instance's file with the date of its image.
const imageVolume = "image-id"

const (
	// schemaProgram is the name of the program that makes the schema and trusts certificates.
	schemaProgram = "lib/SchemaBootstrap.java"

	// stopSeconds is the time between SIGTERM and SIGKILL: more than the server needs. It is Fargate's maximum.
	stopSeconds = 120
	// openFiles is the limit that WSO2 asks for.
	openFiles = 65536
	// cpuUnits make a vCPU.
	cpuUnits = 1024
	// helperCPU is the reservation of each container beside the server, in CPU units.
	helperCPU = 64
)

// definition is a container in the format of the ECS API.
type definition struct {
	Name             string           `json:"name"`
	Image            string           `json:"image"`
	Essential        bool             `json:"essential"`
	CPU              int              `json:"cpu,omitempty"`
	Memory           int              `json:"memory,omitempty"`
	User             string           `json:"user,omitempty"`
	ReadOnlyRoot     bool             `json:"readonlyRootFilesystem,omitempty"`
	EntryPoint       []string         `json:"entryPoint"`
	Environment      []variable       `json:"environment"`
	Secrets          []secretVariable `json:"secrets,omitempty"`
	PortMappings     []portMapping    `json:"portMappings,omitempty"`
	MountPoints      []mountPoint     `json:"mountPoints"`
	DependsOn        []dependency     `json:"dependsOn,omitempty"`
	ExtraHosts       []extraHost      `json:"extraHosts,omitempty"`
	SystemControls   []systemControl  `json:"systemControls,omitempty"`
	LinuxParameters  linuxParameters  `json:"linuxParameters"`
	Ulimits          []ulimit         `json:"ulimits,omitempty"`
	StopTimeout      int              `json:"stopTimeout,omitempty"`
	HealthCheck      *healthCheck     `json:"healthCheck,omitempty"`
	LogConfiguration logConfiguration `json:"logConfiguration"`
}

type variable struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type secretVariable struct {
	Name      string `json:"name"`
	ValueFrom string `json:"valueFrom"`
}

type portMapping struct {
	ContainerPort int    `json:"containerPort"`
	HostPort      int    `json:"hostPort"`
	Protocol      string `json:"protocol"`
}

type mountPoint struct {
	SourceVolume  string `json:"sourceVolume"`
	ContainerPath string `json:"containerPath"`
	ReadOnly      bool   `json:"readOnly"`
}

type dependency struct {
	ContainerName string `json:"containerName"`
	Condition     string `json:"condition"`
}

type extraHost struct {
	Hostname  string `json:"hostname"`
	IPAddress string `json:"ipAddress"`
}

type systemControl struct {
	Namespace string `json:"namespace"`
	Value     string `json:"value"`
}

type linuxParameters struct {
	InitProcessEnabled bool          `json:"initProcessEnabled"`
	Capabilities       *capabilities `json:"capabilities,omitempty"`
}

type capabilities struct {
	Drop []string `json:"drop"`
}

type ulimit struct {
	Name      string `json:"name"`
	SoftLimit int    `json:"softLimit"`
	HardLimit int    `json:"hardLimit"`
}

// healthCheck has times in seconds.
type healthCheck struct {
	Command     []string `json:"command"`
	Interval    int      `json:"interval"`
	Timeout     int      `json:"timeout"`
	Retries     int      `json:"retries"`
	StartPeriod int      `json:"startPeriod"`
}

type logConfiguration struct {
	LogDriver string            `json:"logDriver"`
	Options   map[string]string `json:"options"`
}

// volumes are the volumes that a task's containers share during its life, and their mount points.
var volumes = map[string]string{
	"artifacts": container.ArtifactVolume, "config": container.ConfigVolume, "shared": container.Shared,
}

// temporary is the volume for temporary files of the tools' image, whose root file system is read-only.
const temporary = "tmp"

// serverUser is the user and the group of every program except root's.
var serverUser = fmt.Sprintf("%d:%d", container.User, container.User)

// secretRef is the source of a variable's value: one of the stack's own secrets, by key, a property of the secret that RDS manages for
// an instance's master user, or one of the team's own secret of a user, by User.Key.
type secretRef struct{ key, instance, user, property string }

// secretARNs are the ARNs of the stack's own secrets by key, of the master users' by instance, and of the team's own by User.Key.
type secretARNs[T any] struct{ Own, Masters, Users map[string]T }

// secretARNs returns the ARNs of the secrets that variables come from.
func (b *builder) secretARNs(refs map[string]secretRef) secretARNs[pulumi.StringInput] {
	arns := secretARNs[pulumi.StringInput]{
		Own: map[string]pulumi.StringInput{}, Masters: map[string]pulumi.StringInput{}, Users: b.Database.UserSecretARNs(),
	}
	for _, ref := range refs {
		if ref.user != "" {
			continue
		}
		if ref.instance != "" {
			arns.Masters[ref.instance] = b.Database.Instances[ref.instance].MasterSecretARN
		} else {
			arns.Own[ref.key] = b.Secrets.ARNs[ref.key]
		}
	}
	return arns
}

// serverSecrets maps the server's variables to secrets.
func (b *builder) serverSecrets() map[string]secretRef {
	variables := map[string]secretRef{container.EnvKeystore: {key: secrets.Keystore}}
	if b.Config.SharesTLSKey() {
		variables[container.EnvTLSKeystore] = secretRef{key: secrets.TLSKeystore}
	}
	for name, key := range b.SecretKeys {
		variables[name] = secretRef{key: key}
	}
	return b.withUsers(variables, secrets.ServerUsers(b.Config))
}

// withUsers adds the properties of the team's own secrets of users.
func (b *builder) withUsers(variables map[string]secretRef, of map[string]secrets.UserProperty) map[string]secretRef {
	for name, from := range of {
		variables[name] = secretRef{user: b.Database.Users[from.Logical].Key, property: from.Property}
	}
	return variables
}

// schemaSecrets maps the schema program's variables to secrets.
func (b *builder) schemaSecrets() map[string]secretRef {
	variables := map[string]secretRef{}
	for logical, l := range b.Config.Database.Logical {
		if b.Database.Users != nil {
			break
		}
		username, master, _ := bootstrap.Environment(logical)
		variables[username] = secretRef{instance: l.Instance, property: "username"}
		variables[master] = secretRef{instance: l.Instance, property: "password"}
	}
	for variable, key := range secrets.SchemaVariables(b.Config) {
		variables[variable] = secretRef{key: key}
	}
	return b.withUsers(variables, secrets.SchemaUsers(b.Config))
}

// containerDefinitions returns containers that write to a log group, in the format of the task definition.
func containerDefinitions(logGroup string, containers ...definition) (string, error) {
	for i := range containers {
		containers[i].LogConfiguration.Options["awslogs-group"] = logGroup
	}
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // a definition may have 64 KiB
	if err := encoder.Encode(containers); err != nil {
		return "", fmt.Errorf("writing the container definitions: %w", err)
	}
	return strings.TrimSpace(text.String()), nil
}

// container returns a definition with the settings of all containers.
func (b *builder) container(name, image string, program []string, environment map[string]string) definition {
	d := definition{
		Name: name, Image: image, EntryPoint: program, CPU: helperCPU, Environment: []variable{}, MountPoints: []mountPoint{},
		// init reaps orphaned processes.
		LinuxParameters: linuxParameters{InitProcessEnabled: true},
		LogConfiguration: logConfiguration{LogDriver: "awslogs", Options: map[string]string{
			"awslogs-region": b.Config.Region, "awslogs-stream-prefix": "ecs",
			// A server must not wait for CloudWatch.
			"mode": "non-blocking", "max-buffer-size": "25m",
		}},
	}
	for key, value := range awskit.Sorted(environment) {
		if value != "" { // ECS drops a variable without a value, which would look like a change each time
			d.Environment = append(d.Environment, variable{key, value})
		}
	}
	return d
}

// tools begins a container of the tools' image: not root, without capabilities, with one writable directory.
func (b *builder) tools(name string, program []string, environment map[string]string) definition {
	environment = maps.Clone(environment)
	environment["HOME"] = "/tmp" // this image has no such user
	d := b.container(name, b.Config.Container.ToolsImage, program, environment).unprivileged()
	// A shell through ECS Exec needs a writable root file system (ECS developer guide, "Monitor Amazon ECS containers
	// with ECS Exec", considerations).
	d.ReadOnlyRoot = !b.Config.ECS.Exec
	d.MountPoints = append(d.MountPoints, mountPoint{temporary, "/tmp", false})
	return d
}

// unprivileged removes root and every capability from a container.
func (d definition) unprivileged() definition {
	d.User, d.LinuxParameters.Capabilities = serverUser, &capabilities{Drop: []string{"ALL"}}
	return d
}

// mount gives a container the volumes that the container prepare fills.
func (d definition) mount(readOnly ...string) definition {
	for name, at := range awskit.Sorted(volumes) {
		d.MountPoints = append(d.MountPoints, mountPoint{name, at, slices.Contains(readOnly, name)})
	}
	return d
}

// secrets gives a container its secrets: only their names, which ECS resolves when the container starts.
func (d definition) secrets(from map[string]secretRef, arns secretARNs[string]) definition {
	for name, ref := range awskit.Sorted(from) {
		arn := cmp.Or(arns.Own[ref.key], arns.Masters[ref.instance], arns.Users[ref.user])
		if ref.property != "" {
			// The property, the current version's label and no version of its own.
			arn += ":" + ref.property + "::"
		}
		d.Secrets = append(d.Secrets, secretVariable{name, arn})
	}
	return d
}

func (d definition) after(name string) definition {
	d.DependsOn = append(d.DependsOn, dependency{name, "SUCCESS"})
	return d
}

// dropped are Docker's default capabilities of root except DAC_OVERRIDE and FOWNER.
var dropped = []string{
	"AUDIT_WRITE", "CHOWN", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
}

// prepare is the container that runs first and fetches files.
func (b *builder) prepare(files []container.File, schema string) definition {
	environment := container.PrepareEnvironment(b.Config.Region, files, schema)
	d := b.tools(prepareContainer, container.Prepare(), environment).mount()
	// The volumes belong to root, unless an image says otherwise (ECS developer guide, "Use bind mounts with Amazon
	// ECS"). Root makes them writable for the other containers. It needs only the capabilities to write files of other
	// users.
	d.Memory, d.User = config.PrepareMemory, "0"
	d.LinuxParameters.Capabilities = &capabilities{Drop: slices.Clone(dropped)}
	return d
}

// ownFile is an object of the stack's bucket.
func ownFile(bucket, name, sum, at string) container.File {
	return container.File{Source: "s3://" + bucket + "/" + bootstrap.Key(name, sum), SHA256: sum, Path: at}
}

func schemaProgramFile(bucket string) container.File {
	return ownFile(bucket, schemaProgram, nodefiles.Sum(bootstrap.SchemaProgram()), container.SchemaProgramPath)
}

// nodeValues are the values in a node's task that AWS creates: the names of the bucket and of the log group, and the checksum of
// deployment.toml.
type nodeValues[T any] struct {
	Bucket, LogGroup, DeploymentSum T
	Secrets                         secretARNs[T]
}

// nodeFiles are the files that a node fetches.
func (b *builder) nodeFiles(known nodeValues[string]) []container.File {
	files := append(container.Files(b.Config), schemaProgramFile(known.Bucket))
	if b.Config.Container.Baked {
		return files
	}
	files = append(files, ownFile(known.Bucket, b.files.Deployment, known.DeploymentSum, container.DeploymentPath))
	if b.files.Hazelcast != "" {
		files = append(files, ownFile(known.Bucket, b.files.Hazelcast, b.files.HazelcastSum, container.HazelcastPath))
	}
	return files
}

// nodeContainers are the containers of a node.
func (b *builder) nodeContainers(known nodeValues[string]) (string, error) {
	c := b.Config
	prepare := b.prepare(b.nodeFiles(known), "")
	environment, err := container.ServeEnvironment(c)
	if err != nil {
		return "", err
	}
	if c.Clustered() {
		environment[container.EnvTurn] = fmt.Sprint(container.TurnSeconds)
	}
	server := b.container(serverContainer, c.Container.Image, container.Serve(), environment).
		mount("config", "shared").secrets(b.serverSecrets(), known.Secrets).after(prepareContainer)
	server.Essential, server.StopTimeout = true, stopSeconds
	server.CPU, server.Memory = b.serverCPU(), c.ServerMemory()
	server.Ulimits = []ulimit{{"nofile", openFiles, openFiles}}
	server.PortMappings = []portMapping{{ports.HTTPS, ports.HTTPS, "tcp"}, {ports.HTTP, ports.HTTP, "tcp"}}
	if c.Clustered() {
		server.PortMappings = append(server.PortMappings, portMapping{c.Clustering.Port, c.Clustering.Port, "tcp"})
	}
	for _, directory := range b.FileSystem.Directories {
		at := container.TenantsPath(c.Version)
		if directory == filesystem.Userstores {
			at = container.UserstoresPath(c.Version)
		}
		server.MountPoints = append(server.MountPoints, mountPoint{directory, at, false})
	}
	// Nodes reach the cluster's own name on themselves instead of through the load balancer.
	if c.HostNetwork() {
		server = server.unprivileged()
		server.ExtraHosts = []extraHost{{c.Hostname, "127.0.0.1"}} // the instance redirects its port 443
	} else {
		server.EntryPoint, server.User = container.ServeFromRoot(), "0:0"
		// This applies to all containers of the task; Fargate accepts every net.* from platform version 1.4.0 on
		// (API_SystemControl).
		server.SystemControls = []systemControl{{container.UnprivilegedPorts, container.UnprivilegedPortsStart}}
	}
	server.HealthCheck = &healthCheck{
		Command: []string{"CMD-SHELL", container.HealthCheck() + " || exit 1"},
		// Ten minutes, for a first start in which this node waits for another; 300 seconds is the longest start period.
		// The load balancer notices within a minute that a serving node hangs.
		Interval: 30, Timeout: 15, Retries: 10, StartPeriod: 300,
	}
	// A stack trace is one event.
	server.LogConfiguration.Options["awslogs-multiline-pattern"] = `^(TID: )?\[|^[0-9]{4}-`
	containers := []definition{prepare, server}
	if c.Clustered() {
		turn := b.tools(turnContainer, container.Turn(), container.TurnEnvironment(c.Region, b.Cluster, b.Cluster)).
			after(prepareContainer)
		turn.Memory = config.TurnMemory
		turn.MountPoints = append(turn.MountPoints, mountPoint{"shared", volumes["shared"], false})
		containers = append(containers, turn)
	}
	members := b.tools(membersContainer, container.Members(), container.MembersEnvironment(c)).after(prepareContainer)
	members.Memory = config.MembersMemory
	if c.HostNetwork() {
		members.MountPoints = append(members.MountPoints, mountPoint{imageVolume, container.ImageFile, true})
	}
	containers = append(containers, members)
	return containerDefinitions(known.LogGroup, containers...)
}

// serverCPU is the server's share: all except that of the other containers and the ECS agent.
func (b *builder) serverCPU() int {
	if b.Config.Fargate() {
		return b.Config.Nodes.CPU*cpuUnits - 3*helperCPU
	}
	t, _ := instancetype.Lookup(b.Config.Nodes.InstanceType)
	return t.VCPU*cpuUnits - 5*helperCPU
}

// taskDefinition registers a task. Old revisions stay, since a failed deployment rolls back to one.
func (b *builder) taskDefinition(
	ctx *pulumi.Context, name, family string, in *ecs.TaskDefinitionArgs, task, execution string,
) (*ecs.TaskDefinition, error) {
	in.Family, in.SkipDestroy = pulumi.String(family), pulumi.Bool(true)
	in.TaskRoleArn, in.ExecutionRoleArn = b.Identity.roles[task].Arn, b.Identity.roles[execution].Arn
	in.Tags = awskit.Tags(family, component)
	architecture := "X86_64"
	if t, _ := instancetype.Lookup(b.Config.Nodes.InstanceType); t.ARM {
		architecture = "ARM64"
	}
	in.RuntimePlatform = ecs.TaskDefinitionRuntimePlatformArgs{
		OperatingSystemFamily: pulumi.String("LINUX"), CpuArchitecture: pulumi.String(architecture),
	}
	in.NetworkMode, in.RequiresCompatibilities = pulumi.String("host"), pulumi.ToStringArray([]string{"EC2"})
	if b.Config.Fargate() {
		in.NetworkMode, in.RequiresCompatibilities = pulumi.String("awsvpc"), pulumi.ToStringArray([]string{fargate})
	} else {
		in.Cpu, in.Memory = nil, nil // the containers' own reservations add up to the instance's
	}
	list, _ := in.Volumes.(ecs.TaskDefinitionVolumeArray)
	for _, volume := range append(slices.Sorted(maps.Keys(volumes)), temporary) {
		list = append(list, ecs.TaskDefinitionVolumeArgs{Name: pulumi.String(volume)})
	}
	in.Volumes = list
	// A task needs its roles' permissions from its start.
	made, err := ecs.NewTaskDefinition(ctx, b.Named(name), in, awskit.With(b.child, pulumi.DependsOn(b.Identity.ready))...)
	if err != nil {
		return nil, fmt.Errorf("registering the task %s: %w", family, err)
	}
	return made, nil
}

// sharedVolumes are the volumes of the shared directories. The instance mounts a share, and tasks use its directory. A Docker volume
// would be mounted for each task, but Docker first copies the image's files into an empty one, with their owner, which an NFS server
// refuses root (moby #34543).
func (b *builder) sharedVolumes() ecs.TaskDefinitionVolumeArray {
	all := ecs.TaskDefinitionVolumeArray{}
	for _, directory := range b.FileSystem.Directories {
		volume := ecs.TaskDefinitionVolumeArgs{Name: pulumi.String(directory)}
		if share := b.FileSystem.Share; share != nil {
			volume.HostPath = pulumi.String(share.Mount(mounts(share), directory).Target)
		} else {
			volume.EfsVolumeConfiguration = ecs.TaskDefinitionVolumeEfsVolumeConfigurationArgs{
				FileSystemId: b.FileSystem.ID, TransitEncryption: pulumi.String("ENABLED"),
				AuthorizationConfig: ecs.TaskDefinitionVolumeEfsVolumeConfigurationAuthorizationConfigArgs{
					AccessPointId: b.FileSystem.AccessPoints[directory].ToStringPtrOutput(), Iam: pulumi.String("ENABLED"),
				},
			}
		}
		all = append(all, volume)
	}
	return all
}

// nodeTask registers the task of a node.
func (b *builder) nodeTask(ctx *pulumi.Context) (*ecs.TaskDefinition, error) {
	shared := b.sharedVolumes()
	if b.Config.HostNetwork() {
		shared = append(shared, ecs.TaskDefinitionVolumeArgs{
			Name: pulumi.String(imageVolume), HostPath: pulumi.String(container.HostImageFile),
		})
	}
	in := &ecs.TaskDefinitionArgs{
		ContainerDefinitions: awskit.Resolve(nodeValues[pulumi.StringInput]{
			Bucket: b.store.Name, LogGroup: b.LogGroup, DeploymentSum: b.files.DeploymentSum, Secrets: b.secretARNs(b.serverSecrets()),
		}, b.nodeContainers),
		Volumes: shared,
	}
	if b.Config.Fargate() {
		in.Cpu = pulumi.String(fmt.Sprint(b.Config.Nodes.CPU * cpuUnits))
		in.Memory = pulumi.String(fmt.Sprint(b.Config.Nodes.Memory * 1024))
		in.EphemeralStorage = ecs.TaskDefinitionEphemeralStorageArgs{SizeInGib: pulumi.Int(b.Config.Nodes.RootVolume)}
	}
	return b.taskDefinition(ctx, "nodes", b.Cluster, in, taskRole, executionRole)
}

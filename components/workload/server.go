package workload

import (
	"fmt"
	"path"
	"slices"

	appsv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apps/v1"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/components/container"
	"github.com/wso2is-aws/wso2is/components/nodeconfig"
	"github.com/wso2is-aws/wso2is/config/ports"
)

// serverContainer is the container whose load counts.
const serverContainer = "server"

const (
	// startSeconds is the maximum time from the start of a server's container until it answers; the schema exists by
	// then.
	startSeconds, startPeriod  = 900, 10
	readyPeriod, readyFailures = 10, 3
	livePeriod, liveFailures   = 15, 8
	probeTimeout               = 10

	// minDrain is the maximum time until the load balancer notices that a pod is deregistered.
	minDrain = 20
	// stopMargin is the time that a pod gets in addition to its containers' stop time.
	stopMargin = 10

	// rolloutMinutes is the maximum time to update one pod: image, start, and the stop of the old one.
	rolloutMinutes = 30
)

// server makes the nodes, and sets their number and its bounds.
func (b *builder) server(w *Workload, before []pulumi.Resource) error {
	pod, err := b.pod(w)
	if err != nil {
		return fmt.Errorf("describing a node's pod: %w", err)
	}
	options := awskit.With(b.child, pulumi.DependsOn(before), pulumi.Timeouts(&pulumi.CustomTimeouts{
		Create: rolloutTimeout(b.Config.Nodes.Count), Update: rolloutTimeout(b.Config.Nodes.Count),
	}))
	if b.Config.Nodes.Autoscaling != nil {
		// The autoscaler sets the number from the first update on; without an initial number there would be one node.
		options = append(options, pulumi.IgnoreChanges([]string{"spec.replicas"}))
	}
	deployment, err := appsv1.NewDeployment(b.ctx, b.Named("server"), &appsv1.DeploymentArgs{
		Metadata: b.meta(Name, serverRole),
		Spec: &appsv1.DeploymentSpecArgs{
			Replicas: pulumi.Int(b.Config.Nodes.Count), Selector: matching(b.selector(serverRole)),
			Strategy: &appsv1.DeploymentStrategyArgs{
				Type: pulumi.String("RollingUpdate"),
				RollingUpdate: &appsv1.RollingUpdateDeploymentArgs{
					MaxSurge: pulumi.Int(1), MaxUnavailable: pulumi.Int(0),
				},
			},
			// Kubernetes fails a rollout in which no pod makes progress for longer than a start may take.
			ProgressDeadlineSeconds: pulumi.Int(startSeconds + b.drain() + container.StopSeconds + 300),
			RevisionHistoryLimit:    pulumi.Int(3),
			Template:                pod,
		},
	}, options...)
	if err != nil {
		return fmt.Errorf("creating the deployment: %w", err)
	}
	w.Deployed = deployment
	return b.scale(deployment)
}

// rolloutTimeout is the maximum time to update all pods, one after the other.
func rolloutTimeout(nodes int) string { return fmt.Sprintf("%dm", rolloutMinutes*max(nodes, 1)) }

// drain is the time in seconds that a terminating pod still serves: until the load balancer knows, and then as long as
// open requests may take.
func (b *builder) drain() int { return max(minDrain, b.Config.LoadBalancer.DeregistrationDelay) }

func (b *builder) pod(w *Workload) (*corev1.PodTemplateSpecArgs, error) {
	secrets, err := b.secrets(serverRole, b.Secrets, nil)
	if err != nil {
		return nil, err
	}
	shareUser, err := b.shareUser()
	if err != nil {
		return nil, err
	}
	program, err := b.program()
	if err != nil {
		return nil, err
	}
	prepare, volumes, err := b.prepare()
	if err != nil {
		return nil, err
	}
	// The server's volumes: the prepared files, its configuration, its secrets, and the shared directories.
	seen := append(slices.Clone(volumes), program.at(container.SchemaProgramPath, path.Base(container.SchemaProgramPath)))
	annotations := pulumi.StringMap{}
	if !b.Config.Container.Baked {
		files, err := b.configure()
		if err != nil {
			return nil, fmt.Errorf("writing the nodes' configuration: %w", err)
		}
		seen = append(seen, files.mount())
		annotations["checksum/config"] = files.checksum
		w.ConfigMap = files.name
	} else {
		w.ConfigMap = pulumi.String("").ToStringOutput()
	}
	seen = append(seen, secrets.volumes...)
	seen = append(seen, b.shared()...)
	environment, err := container.ServeEnvironment(b.Config)
	if err != nil {
		return nil, err
	}
	env := append(plainEnv(environment), fieldEnv(nodeconfig.EnvNodeIP, "status.podIP"))
	env = append(env, secrets.env()...)
	sidecar := corev1.ContainerArgs{
		Name: pulumi.String("members"), Image: pulumi.String(b.Config.Container.ToolsImage), Command: awskit.Strings(container.Members()),
		// An init container that always restarts runs beside the server and stops after it.
		RestartPolicy: pulumi.String("Always"),
		Env:           append(plainEnv(container.MembersEnvironment(b.Config)), fieldEnv("NODE", "metadata.name"), home),
		Resources:     small, SecurityContext: locked(true), VolumeMounts: mounts(append(slices.Clone(shareUser), temporary)...),
		ImagePullPolicy: pulumi.String("IfNotPresent"),
	}
	spec := b.podSpec(ServiceAccount)
	spec.AutomountServiceAccountToken = pulumi.Bool(true)
	spec.TerminationGracePeriodSeconds = pulumi.Int(b.drain() + container.StopSeconds + stopMargin)
	// The server calls itself by its public name; this call stays in the pod. The parameter is a safe one, which the
	// level restricted allows (Pod Security Standards).
	spec.SecurityContext.(*corev1.PodSecurityContextArgs).Sysctls = corev1.SysctlArray{corev1.SysctlArgs{
		Name: pulumi.String(container.UnprivilegedPorts), Value: pulumi.String(container.UnprivilegedPortsStart),
	}}
	spec.HostAliases = corev1.HostAliasArray{corev1.HostAliasArgs{
		Ip: pulumi.String("127.0.0.1"), Hostnames: pulumi.StringArray{pulumi.String(b.Config.Hostname)},
	}}
	if b.Config.Clustered() {
		prepare = append(prepare, b.turn())
	}
	spec.InitContainers = append(prepare, sidecar)
	spec.Containers = corev1.ContainerArray{b.serve(env, seen)}
	spec.Volumes = volumesOf(append(append(seen, shareUser...), temporary)...)
	spec.TopologySpreadConstraints = b.spread()
	return &corev1.PodTemplateSpecArgs{
		Metadata: &metav1.ObjectMetaArgs{Labels: b.labels(serverRole), Annotations: annotations}, Spec: spec,
	}, nil
}

// serve is the server's container.
func (b *builder) serve(env corev1.EnvVarArray, seen []mount) corev1.ContainerArgs {
	// The requests equal the limits: missing memory would kill the server, and it sizes its thread pools by its CPU
	// limit, as on an instance of that size.
	asked := quantities(b.Config.PodSize().CPU, b.Config.PodSize().Memory)
	server := corev1.ContainerArgs{
		Name: pulumi.String(serverContainer), Image: pulumi.String(b.Config.Container.Image), Command: awskit.Strings(container.Serve()),
		ImagePullPolicy: pulumi.String("IfNotPresent"), Env: env, VolumeMounts: mounts(seen...),
		SecurityContext: locked(false),
		Ports: corev1.ContainerPortArray{corev1.ContainerPortArgs{
			Name: pulumi.String(httpsPort), ContainerPort: pulumi.Int(ports.HTTPS), Protocol: pulumi.String("TCP"),
		}},
		Resources:    &corev1.ResourceRequirementsArgs{Requests: asked, Limits: asked},
		StartupProbe: probe(container.Started(), startPeriod, startSeconds/startPeriod),
		// A node without its database keeps running and stays a target: otherwise all nodes would restart or be
		// deregistered. The load balancer sends requests to all of its targets if none is healthy, but answers with an
		// error if none is registered.
		ReadinessProbe: probe(container.Alive(), readyPeriod, readyFailures),
		LivenessProbe:  probe(container.Alive(), livePeriod, liveFailures),
		// Kubernetes notifies the load balancer and the server at the same time. The server waits, since it would
		// otherwise refuse requests that are still sent to it.
		Lifecycle: &corev1.LifecycleArgs{PreStop: &corev1.LifecycleHandlerArgs{
			Sleep: &corev1.SleepActionArgs{Seconds: pulumi.Int(b.drain())},
		}},
	}
	if b.Config.Clustered() {
		server.Ports = append(server.Ports.(corev1.ContainerPortArray), corev1.ContainerPortArgs{
			Name: pulumi.String(hazelcastPort), ContainerPort: pulumi.Int(b.Config.Clustering.Port), Protocol: pulumi.String("TCP"),
		})
	}
	return server
}

// probe runs a command in the server's container: the kubelet's own request would accept a redirect, and treat an error
// answer as no answer.
func probe(command string, period, failures int) *corev1.ProbeArgs {
	return &corev1.ProbeArgs{
		Exec:          &corev1.ExecActionArgs{Command: awskit.Strings([]string{"sh", "-c", command})},
		PeriodSeconds: pulumi.Int(period), TimeoutSeconds: pulumi.Int(probeTimeout), FailureThreshold: pulumi.Int(failures),
	}
}

// prepare returns the init containers that fetch the files that the product's image lacks, and the volumes for them.
func (b *builder) prepare() (corev1.ContainerArray, []mount, error) {
	files, err := b.files()
	if err != nil || len(files) == 0 {
		return corev1.ContainerArray{}, nil, err
	}
	environment := container.PrepareEnvironment(b.Region, files, "")
	volumes := []mount{scratch("artifacts", container.ArtifactVolume), scratch("shared", container.Shared)}
	return corev1.ContainerArray{corev1.ContainerArgs{
		Name: pulumi.String("prepare"), Image: pulumi.String(b.Config.Container.ToolsImage), Command: awskit.Strings(container.Prepare()),
		ImagePullPolicy: pulumi.String("IfNotPresent"), Env: append(plainEnv(environment), home), Resources: small,
		SecurityContext: locked(true), VolumeMounts: mounts(append(slices.Clone(volumes), temporary)...),
	}}, volumes, nil
}

// files are the files that pods fetch: those of every container and, for releases without the scheme in their kernel,
// its jar.
func (b *builder) files() ([]container.File, error) {
	files := container.Files(b.Config)
	facts, err := b.Config.Version.Facts()
	if err != nil || b.Config.Container.Baked || !facts.KubernetesSchemeJar || !b.Config.Clustered() {
		return files, err
	}
	jar := b.Config.EKS.MembershipScheme
	return append(files, container.File{
		Source: jar.Source, SHA256: jar.SHA256,
		Path: container.ArtifactVolume + "/repository/components/dropins/" + path.Base(jar.Source),
	}), nil
}

// podSpec has the settings of all pods.
func (b *builder) podSpec(account string) *corev1.PodSpecArgs {
	return &corev1.PodSpecArgs{
		ServiceAccountName: pulumi.String(account), AutomountServiceAccountToken: pulumi.Bool(false),
		// Variables named after services could override the product's own.
		EnableServiceLinks: pulumi.Bool(false),
		SecurityContext: &corev1.PodSecurityContextArgs{
			RunAsNonRoot: pulumi.Bool(true), RunAsUser: pulumi.Int(container.User), RunAsGroup: pulumi.Int(container.User),
			FsGroup: pulumi.Int(container.User), FsGroupChangePolicy: pulumi.String("OnRootMismatch"),
			SeccompProfile: &corev1.SeccompProfileArgs{Type: pulumi.String("RuntimeDefault")},
		},
	}
}

// temporary is the writable volume of the tools' image, whose root file system is read-only.
var temporary = scratch("tmp", "/tmp")

// locked is a container's security context. The product's image writes to its own file system.
func locked(readOnly bool) *corev1.SecurityContextArgs {
	return &corev1.SecurityContextArgs{
		AllowPrivilegeEscalation: pulumi.Bool(false), Privileged: pulumi.Bool(false), ReadOnlyRootFilesystem: pulumi.Bool(readOnly),
		Capabilities: &corev1.CapabilitiesArgs{Drop: pulumi.StringArray{pulumi.String("ALL")}},
	}
}

// spread distributes nodes over zones and hosts. It counts only pods of the same rollout: with the old ones, the new
// could end up together. It ignores hosts that accept no more pods. The distribution over hosts is a preference: if one
// zone has more hosts than another, two strict rules could leave a pod unscheduled.
func (b *builder) spread() corev1.TopologySpreadConstraintArray {
	list := corev1.TopologySpreadConstraintArray{}
	for _, by := range []struct{ key, otherwise string }{
		{"topology.kubernetes.io/zone", "DoNotSchedule"}, {"kubernetes.io/hostname", "ScheduleAnyway"},
	} {
		list = append(list, corev1.TopologySpreadConstraintArgs{
			MaxSkew: pulumi.Int(1), TopologyKey: pulumi.String(by.key), WhenUnsatisfiable: pulumi.String(by.otherwise),
			LabelSelector:    matching(b.selector(serverRole)),
			MatchLabelKeys:   pulumi.StringArray{pulumi.String("pod-template-hash")},
			NodeTaintsPolicy: pulumi.String("Honor"),
		})
	}
	return list
}

// small are the resources of the containers beside the server.
var small = &corev1.ResourceRequirementsArgs{Requests: quantities(50, 128), Limits: quantities(500, 256)}

var home = corev1.EnvVarArgs{Name: pulumi.String("HOME"), Value: pulumi.String("/tmp")}

func quantities(milliCPU, memoryMiB int) pulumi.StringMap {
	return pulumi.StringMap{
		"cpu":    pulumi.String(quantity(milliCPU, 1000, "m", "")),
		"memory": pulumi.String(quantity(memoryMiB, 1024, "Mi", "Gi")),
	}
}

// quantity writes a quantity in the larger unit if it is whole, like the API server.
func quantity(n, step int, unit, larger string) string {
	if n%step == 0 {
		return fmt.Sprint(n/step) + larger
	}
	return fmt.Sprint(n) + unit
}

func plainEnv(values map[string]string) corev1.EnvVarArray {
	list := corev1.EnvVarArray{}
	for name, value := range awskit.Sorted(values) {
		e := corev1.EnvVarArgs{Name: pulumi.String(name)}
		if value != "" { // the API server stores no empty value, so a diff would always show one
			e.Value = pulumi.String(value)
		}
		list = append(list, e)
	}
	return list
}

func fieldEnv(name, field string) corev1.EnvVarArgs {
	return corev1.EnvVarArgs{Name: pulumi.String(name), ValueFrom: &corev1.EnvVarSourceArgs{
		FieldRef: &corev1.ObjectFieldSelectorArgs{FieldPath: pulumi.String(field)},
	}}
}

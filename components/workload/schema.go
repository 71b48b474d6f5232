package workload

import (
	"path"
	"slices"

	batchv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/batch/v1"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/components/bootstrap"
	"github.com/wso2is-aws/wso2is/components/container"
	"github.com/wso2is-aws/wso2is/components/nodefiles"
)

const (
	schemaProperties = "schema.properties"
	// schemaSeconds bounds the job: Oracle's scripts are the slowest, and RDS may fail over meanwhile.
	schemaSeconds = 1800
	schemaRetries = 6
	// nameDigits is the number of digits of a checksum that make a job's name unique.
	nameDigits = 10
)

// program makes the ConfigMap with the program that makes databases and keystores, for both kinds of pods.
func (b *builder) program() (mount, error) {
	if b.source != nil {
		return *b.source, nil
	}
	name := path.Base(container.SchemaProgramPath)
	made, err := corev1.NewConfigMap(b.ctx, b.Named("programs"), &corev1.ConfigMapArgs{
		Metadata: b.meta("", ""), Immutable: pulumi.Bool(true),
		Data: pulumi.StringMap{name: pulumi.String(bootstrap.SchemaProgram())},
	}, b.child...)
	if err != nil {
		return mount{}, err
	}
	m := configured("programs", "", made.Metadata.Name().Elem(), file{name, name})
	b.source = &m
	return m, nil
}

// schema makes the job that makes the databases, before any server uses them. Its name contains a checksum of its
// inputs: an update that changes none of them leaves the finished job alone, and another one runs it again, which is
// safe. A finished job stays, since Pulumi would miss it.
func (b *builder) schema(before []pulumi.Resource) (pulumi.Resource, error) {
	program, err := b.program()
	if err != nil {
		return nil, err
	}
	properties := nodefiles.WithHosts(b.Hosts, func(hosts map[string]string) (string, error) {
		return nodefiles.SchemaProperties(b.Config, hosts), nil
	})
	list, err := corev1.NewConfigMap(b.ctx, b.Named(schemaRole), &corev1.ConfigMapArgs{
		Metadata: b.meta("", schemaRole), Immutable: pulumi.Bool(true), Data: pulumi.StringMap{schemaProperties: properties},
	}, b.child...)
	if err != nil {
		return nil, err
	}
	prepare, volumes, err := b.prepare()
	if err != nil {
		return nil, err
	}
	environment, err := container.SchemaEnvironment(b.Config)
	if err != nil {
		return nil, err
	}
	files, err := b.files()
	if err != nil {
		return nil, err
	}
	name := nodefiles.VersionsSum(properties, versions(b.SchemaSecrets)).ApplyT(func(known string) string {
		texts := []string{known, bootstrap.SchemaProgram(), b.Config.Container.Image, b.Config.Container.ToolsImage}
		texts = append(texts, container.Schema()...)
		texts = append(texts, container.Prepare()...)
		for _, f := range files {
			texts = append(texts, f.Source, f.SHA256, f.Path)
		}
		return schemaName + "-" + sum(texts...)[:nameDigits]
	}).(pulumi.StringOutput)
	// Each job has values of its own: RDS rotates the master user's password every week.
	secrets, err := b.secrets(schemaRole, b.SchemaSecrets, name)
	if err != nil {
		return nil, err
	}
	seen := append(volumes, program.at(container.SchemaProgramPath, path.Base(container.SchemaProgramPath)))
	databases := configured("databases", "", list.Metadata.Name().Elem(), file{schemaProperties, schemaProperties})
	seen = append(seen, databases.at(container.Shared+"/etc/"+schemaProperties, schemaProperties))
	seen = append(seen, secrets.volumes...)
	mounted := mounts(seen...)
	spec := b.podSpec(SchemaAccount)
	spec.RestartPolicy = pulumi.String("Never")
	if len(prepare) > 0 {
		spec.InitContainers = prepare
		seen = append(seen, temporary)
	}
	spec.Containers = corev1.ContainerArray{corev1.ContainerArgs{
		Name: pulumi.String("schema"), Image: pulumi.String(b.Config.Container.Image), Command: awskit.Strings(container.Schema()),
		ImagePullPolicy: pulumi.String("IfNotPresent"), Env: append(plainEnv(environment), secrets.env()...),
		VolumeMounts: mounted, SecurityContext: locked(false),
		Resources: &corev1.ResourceRequirementsArgs{Requests: quantities(250, 512), Limits: quantities(1000, 1024)},
	}}
	spec.Volumes = volumesOf(seen...)
	meta := b.meta("", schemaRole)
	meta.Name = name.ToStringPtrOutput()
	return batchv1.NewJob(b.ctx, b.Named(schemaRole), &batchv1.JobArgs{
		Metadata: meta,
		Spec: &batchv1.JobSpecArgs{
			BackoffLimit: pulumi.Int(schemaRetries), ActiveDeadlineSeconds: pulumi.Int(schemaSeconds),
			Template: &corev1.PodTemplateSpecArgs{
				Metadata: &metav1.ObjectMetaArgs{Labels: b.labels(schemaRole)}, Spec: spec,
			},
		},
	}, awskit.With(b.child, pulumi.DependsOn(slices.Concat(before, []pulumi.Resource{secrets.made})), pulumi.Timeouts(&pulumi.CustomTimeouts{
		Create: rolloutTimeout(1),
	}))...)
}

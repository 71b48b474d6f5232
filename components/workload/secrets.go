package workload

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apiextensions"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"go.yaml.in/yaml/v3"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/components/nodefiles"
	"github.com/wso2is-aws/wso2is/config"
)

// secretsMount is the path of the driver's files. The driver fetches the values only if the volume is mounted.
const secretsMount = "/mnt/secrets"

// secretSet has the secrets of one kind of pod: the environment and, with the CSI driver, the volume.
type secretSet struct {
	name    pulumi.StringOutput
	values  []Secret
	volumes []mount
	made    pulumi.Resource
}

// env are the secrets' variables, in order.
func (s *secretSet) env() corev1.EnvVarArray {
	list := corev1.EnvVarArray{}
	for _, value := range s.values {
		list = append(list, corev1.EnvVarArgs{
			Name: pulumi.String(value.Variable),
			ValueFrom: &corev1.EnvVarSourceArgs{SecretKeyRef: &corev1.SecretKeySelectorArgs{
				Name: s.name.ToStringPtrOutput(), Key: pulumi.String(value.Variable),
			}},
		})
	}
	return list
}

// secrets makes one kind of pod's secrets available. The CSI driver mounts the values from Secrets Manager under the
// pods' own role: no value is in Pulumi's state or in a manifest. It copies them into a Kubernetes secret while a pod
// uses them, since the server reads its environment. Without the driver, Pulumi writes a Kubernetes secret.
//
// A server's Kubernetes secret gets a new name when a value changes, which replaces the pods. Pulumi's for the job keeps its
// name, since a rotation of the master password by RDS must not run it again. The one for the share keeps its name, too. Name is
// what the driver calls the secret and its class, or nil for a name of the values' versions.
func (b *builder) secrets(role string, values []Secret, name pulumi.StringInput) (*secretSet, error) {
	values = slices.Clone(values)
	slices.SortFunc(values, func(x, y Secret) int { return strings.Compare(x.Variable, y.Variable) })
	set := &secretSet{values: values}
	if b.Config.EKS.Secrets == config.SecretsKubernetes {
		data := pulumi.StringMap{}
		for _, value := range values {
			data[value.Variable] = value.Value
		}
		name := map[string]string{schemaRole: schemaName, shareRole: shareName}[role]
		made, err := corev1.NewSecret(b.ctx, b.Named(role), &corev1.SecretArgs{
			Metadata: b.meta(name, role), Type: pulumi.String("Opaque"), Immutable: pulumi.Bool(role != shareRole),
			StringData: pulumi.ToSecret(data).(pulumi.StringMapOutput),
		}, b.child...)
		if err != nil {
			return nil, err
		}
		set.name, set.made = made.Metadata.Name().Elem(), made
		return set, nil
	}
	return set, b.mounted(set, role, name)
}

// mounted lets the Secrets Store CSI driver fetch the values.
//
// The driver makes a Kubernetes secret once. While a pod that uses it exists, neither another value nor another key changes it
// (Reconcile in controllers/secretproviderclasspodstatus_controller.go of secrets-store-csi-driver, and its issue 1566). In a
// rolling update old pods are there when new ones start, and a finished job's pod stays. So other values need another name. The
// class has it too: old pods keep their own class until they are gone.
func (b *builder) mounted(set *secretSet, role string, name pulumi.StringInput) error {
	list := objects(set.values)
	if name == nil {
		name = nodefiles.VersionsSum(list, versions(set.values)).ApplyT(func(known string) string {
			return Name + "-" + role + "-" + known[:nameDigits]
		}).(pulumi.StringOutput)
	}
	data := pulumi.Array{}
	for _, value := range set.values {
		data = append(data, pulumi.Map{"objectName": pulumi.String(value.Variable), "key": pulumi.String(value.Variable)})
	}
	meta := b.meta("", role)
	meta.Name = name.ToStringOutput().ToStringPtrOutput()
	made, err := apiextensions.NewCustomResource(b.ctx, b.Named(role+"-secrets"), &apiextensions.CustomResourceArgs{
		ApiVersion: pulumi.String("secrets-store.csi.x-k8s.io/v1"), Kind: pulumi.String("SecretProviderClass"),
		Metadata: meta,
		OtherFields: kubernetes.UntypedArgs{"spec": pulumi.Map{
			"provider": pulumi.String("aws"),
			"parameters": pulumi.Map{
				"region": pulumi.String(b.Region), "usePodIdentity": pulumi.String("true"), "objects": list,
			},
			"secretObjects": pulumi.Array{pulumi.Map{
				"secretName": name, "type": pulumi.String("Opaque"), "data": data,
			}},
		}},
	}, b.child...)
	if err != nil {
		return err
	}
	set.made = made
	set.name = made.Metadata.Name().Elem()
	set.volumes = []mount{{name: "secrets", path: secretsMount, readOnly: true, source: corev1.VolumeArgs{
		Csi: &corev1.CSIVolumeSourceArgs{
			Driver: pulumi.String("secrets-store.csi.k8s.io"), ReadOnly: pulumi.Bool(true),
			VolumeAttributes: pulumi.StringMap{"secretProviderClass": set.name},
		},
	}}}
	return nil
}

// versions are the ids of the values' versions that the stack knows, by variable.
func versions(values []Secret) map[string]pulumi.StringInput {
	known := map[string]pulumi.StringInput{}
	for _, value := range values {
		if value.Version != nil {
			known[value.Variable] = value.Version
		}
	}
	return known
}

// entry is one secret in the format of the driver's AWS provider.
type entry struct {
	ObjectName  string     `yaml:"objectName"`
	ObjectType  string     `yaml:"objectType"`
	ObjectAlias string     `yaml:"objectAlias"`
	JMESPath    []property `yaml:"jmesPath,omitempty"`
}

type property struct {
	Path        string `yaml:"path"`
	ObjectAlias string `yaml:"objectAlias"`
}

// objects lists each secret once with all its properties, as the provider requires.
func objects(values []Secret) pulumi.StringOutput {
	arns := make([]pulumi.StringInput, len(values))
	for i, value := range values {
		arns[i] = value.ARN
	}
	return awskit.Resolve(arns, func(known []string) (string, error) {
		var list []entry
		index := map[string]int{}
		for i, value := range values {
			if value.Property == "" {
				list = append(list, entry{ObjectName: known[i], ObjectType: "secretsmanager", ObjectAlias: value.Variable})
				continue
			}
			at, ok := index[value.Key]
			if !ok {
				at = len(list)
				index[value.Key] = at
				list = append(list, entry{ObjectName: known[i], ObjectType: "secretsmanager", ObjectAlias: value.Key})
			}
			list[at].JMESPath = append(list[at].JMESPath, property{Path: value.Property, ObjectAlias: value.Variable})
		}
		text, err := yaml.Marshal(list)
		if err != nil {
			return "", fmt.Errorf("writing the driver's list of secrets: %w", err)
		}
		return string(text), nil
	})
}

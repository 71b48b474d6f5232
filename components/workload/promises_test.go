package workload

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/wso2is-aws/wso2is/components/componenttest"
	"github.com/wso2is-aws/wso2is/components/container"
	"github.com/wso2is-aws/wso2is/components/filesystem"
	"github.com/wso2is-aws/wso2is/components/firewall"
	"github.com/wso2is-aws/wso2is/config"
)

func changes(pairs ...any) map[string]any {
	m := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i].(string)] = pairs[i+1]
	}
	return m
}

//guide:kubernetes-role
func TestPodsReadWhatDiscoveryAsksAndNothingElse(t *testing.T) {
	for version, slicesToo := range map[string]bool{"5.11.0": false, "6.1.0": false, "7.0.0": true, "7.3.0": true} {
		t.Run(version, func(t *testing.T) {
			objects := build(t, testArgs(t, changes("version", version)))
			want := []any{map[string]any{
				"apiGroups": []any{""}, "resources": []any{"endpoints"}, "verbs": []any{"get", "list"},
			}}
			if version != "5.11.0" {
				want = append(want, map[string]any{
					"apiGroups": []any{""}, "resources": []any{"pods"}, "verbs": []any{"get"},
				})
			}
			if slicesToo {
				want = append(want, map[string]any{
					"apiGroups": []any{"discovery.k8s.io"}, "resources": []any{"endpointslices"}, "verbs": []any{"get", "list"},
				})
			}
			assert.Equal(t, want, objects["Role/discovery"].at("rules"))
			for key := range objects {
				assert.False(t, strings.HasPrefix(key, "ClusterRole"), "%s reaches beyond the namespace", key)
			}
			binding := objects["RoleBinding/discovery"]
			assert.Equal(t, "wso2is", binding.at("subjects", 0, "name"))
			assert.Equal(t, "wso2is", binding.at("subjects", 0, "namespace"))
			assert.Equal(t, "Role", binding.at("roleRef", "kind"))
		})
	}
	t.Run("without clustering", func(t *testing.T) {
		objects := build(t, testArgs(t, changes("nodes", changes("count", 1), "caching", changes("scenario", "localOnly"))))
		assert.Empty(t, objects["Role/discovery"].at("rules"))
		assert.NotContains(t, objects, "Service/members")
		assert.NotContains(t, objects, "NetworkPolicy/discovery")
		assert.NotContains(t, objects, "NetworkPolicy/hazelcast")
	})
}

//guide:kubernetes-keys
func TestConfigurationNamesTheServiceThatDiscoveryReads(t *testing.T) {
	objects := build(t, testArgs(t, nil))
	toml := fmt.Sprint(objects["ConfigMap/config"].at("data", "deployment.toml"))
	assert.Contains(t, toml, "membership_scheme = 'kubernetes'")
	assert.Contains(t, toml, "KUBERNETES_NAMESPACE = 'wso2is'")
	assert.Contains(t, toml, "KUBERNETES_SERVICES = '"+MembersService+"'")
	assert.Contains(t, toml, "jdbc:postgresql://main.abcdefghijkl.eu-west-1.rds.amazonaws.com:5432/")
	service := objects["Service/members"]
	assert.Equal(t, MembersService, service.name)
	assert.Equal(t, "None", service.at("spec", "clusterIP"))
	assert.Equal(t, true, service.at("spec", "publishNotReadyAddresses"), "or nobody could join who is not ready yet")
	assert.Len(t, service.at("spec", "ports"), 1, "discovery takes the first port")
	assert.Equal(t, 5701.0, service.at("spec", "ports", 0, "port"))
	pod := objects["Deployment/server"].at("spec", "template", "metadata", "labels").(map[string]any)
	for _, o := range []object{service, objects["Service/server"]} {
		for key, value := range o.at("spec", "selector").(map[string]any) {
			assert.Equal(t, value, pod[key], "the selector of %s misses the pods", o.name)
		}
	}
}

func TestPodsAreRolledOneMoreAtATime(t *testing.T) {
	d := build(t, testArgs(t, nil))["Deployment/server"]
	assert.Equal(t, map[string]any{"maxSurge": 1.0, "maxUnavailable": 0.0}, d.at("spec", "strategy", "rollingUpdate"))
	assert.Equal(t, 2.0, d.at("spec", "replicas"))
	for i, key := range []string{"topology.kubernetes.io/zone", "kubernetes.io/hostname"} {
		otherwise := []string{"DoNotSchedule", "ScheduleAnyway"}[i]
		spread := d.at("spec", "template", "spec", "topologySpreadConstraints", i).(map[string]any)
		assert.Equal(t, key, spread["topologyKey"])
		assert.Equal(t, otherwise, spread["whenUnsatisfiable"])
		assert.Equal(t, d.at("spec", "selector"), spread["labelSelector"])
	}
}

func TestPodLeavesInPeace(t *testing.T) {
	objects := build(t, testArgs(t, changes("loadBalancer", changes("deregistrationDelay", 90,
		"certificateArn", "arn:aws:acm:eu-west-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"))))
	assert.Equal(t, 90.0, server(t, objects).at("lifecycle", "preStop", "sleep", "seconds"))
	grace := objects["Deployment/server"].at("spec", "template", "spec", "terminationGracePeriodSeconds").(float64)
	assert.GreaterOrEqual(t, grace, float64(90+container.StopSeconds), "killed before Hazelcast has left")
}

func TestProbesCanFail(t *testing.T) {
	s := server(t, build(t, testArgs(t, nil)))
	for probe, command := range map[string]string{
		"startupProbe": container.Started(), "readinessProbe": container.Alive(), "livenessProbe": container.Alive(),
	} {
		assert.Equal(t, []any{"sh", "-c", command}, s.at(probe, "exec", "command"))
		period, _ := s.at(probe, "periodSeconds").(float64)
		failures, _ := s.at(probe, "failureThreshold").(float64)
		timeout, _ := s.at(probe, "timeoutSeconds").(float64)
		assert.LessOrEqual(t, timeout, period, "%s overlaps itself", probe)
		assert.Positive(t, failures)
	}
	wait := s.at("startupProbe", "periodSeconds").(float64) * s.at("startupProbe", "failureThreshold").(float64)
	assert.GreaterOrEqual(t, wait, 600.0, "a first start takes minutes")
	gives := s.at("livenessProbe", "periodSeconds").(float64) * s.at("livenessProbe", "failureThreshold").(float64)
	assert.GreaterOrEqual(t, gives, 120.0, "a pause of the garbage collector is no reason to start anew")
}

func TestContainersAskForWhatTheyNeed(t *testing.T) {
	a := testArgs(t, nil)
	s := server(t, build(t, a))
	assert.Equal(t, map[string]any{"cpu": "4", "memory": "8Gi"}, s.at("resources", "requests"))
	assert.Equal(t, map[string]any{"cpu": "4", "memory": "8Gi"}, s.at("resources", "limits"))
	a = testArgs(t, changes("nodes", map[string]any{"cpu": 8, "memory": 24}))
	s = server(t, build(t, a))
	assert.Equal(t, map[string]any{"cpu": "8", "memory": "24Gi"}, s.at("resources", "requests"))
	assert.Equal(t, map[string]any{"cpu": "8", "memory": "24Gi"}, s.at("resources", "limits"))
}

func TestNamespaceRefusesPrivilegedPods(t *testing.T) {
	objects := build(t, testArgs(t, nil))
	labels := objects["Namespace/wso2is"].at("metadata", "labels").(map[string]any)
	assert.Equal(t, "restricted", labels["pod-security.kubernetes.io/enforce"])
	for _, owner := range []string{"Deployment/server", "Job/schema"} {
		pod := objects[owner].at("spec", "template", "spec").(map[string]any)
		security := pod["securityContext"].(map[string]any)
		assert.Equal(t, true, security["runAsNonRoot"])
		assert.Equal(t, 802.0, security["runAsUser"])
		assert.Equal(t, 802.0, security["runAsGroup"])
		for _, list := range []string{"initContainers", "containers"} {
			for _, c := range pod[list].([]any) {
				c := object{manifest: c.(map[string]any)}
				assert.Equal(t, false, c.at("securityContext", "allowPrivilegeEscalation"))
				assert.Equal(t, []any{"ALL"}, c.at("securityContext", "capabilities", "drop"))
				tools := strings.Contains(fmt.Sprint(c.at("image")), "aws-cli")
				assert.Equal(t, tools, c.at("securityContext", "readOnlyRootFilesystem"), "of %v", c.at("name"))
			}
		}
	}
	assert.Equal(t, true, objects["Deployment/server"].at("spec", "template", "spec", "automountServiceAccountToken"))
	assert.Equal(t, false, objects["Job/schema"].at("spec", "template", "spec", "automountServiceAccountToken"),
		"who asks Kubernetes nothing gets no token")
}

//guide:own-name member-address
func TestNodeKnowsItsAddressAndItsOwnName(t *testing.T) {
	objects := build(t, testArgs(t, nil))
	env := map[string]any{}
	for _, e := range server(t, objects).at("env").([]any) {
		env[e.(map[string]any)["name"].(string)] = e
	}
	address := object{manifest: env["NODE_IP"].(map[string]any)}
	assert.Equal(t, "status.podIP", address.at("valueFrom", "fieldRef", "fieldPath"))
	aliases := objects["Deployment/server"].at("spec", "template", "spec", "hostAliases")
	assert.Equal(t, []any{map[string]any{"ip": "127.0.0.1", "hostnames": []any{"is.example.com"}}}, aliases)
	members := initContainer(t, objects, "members")
	assert.Equal(t, "members", members.at("name"))
	assert.Equal(t, "Always", members.at("restartPolicy"), "it runs beside the server")
	assert.Contains(t, fmt.Sprint(members.at("env")), "metadata.name")
}

// initContainer returns an init container of the server's pods, sidecars included.
func initContainer(t *testing.T, objects map[string]object, name string) object {
	t.Helper()
	list, _ := objects["Deployment/server"].at("spec", "template", "spec", "initContainers").([]any)
	for _, c := range list {
		if c := c.(map[string]any); c["name"] == name {
			return object{manifest: c}
		}
	}
	t.Fatalf("there is no init container %s", name)
	return object{}
}

func TestSecretsComeFromSecretsManagerByTheDriver(t *testing.T) {
	objects := build(t, testArgs(t, nil))
	for key, o := range objects {
		assert.NotContains(t, fmt.Sprint(o.manifest), marker, "%s holds a secret", key)
		assert.NotEqual(t, "Secret", o.kind, "the driver writes it, Pulumi does not")
	}
	class := objects["SecretProviderClass/schema-secrets"]
	assert.Equal(t, "aws", class.at("spec", "provider"))
	assert.Equal(t, "true", class.at("spec", "parameters", "usePodIdentity"))
	assert.Equal(t, "eu-west-1", class.at("spec", "parameters", "region"))
	var list []entry
	require.NoError(t, yaml.Unmarshal([]byte(class.at("spec", "parameters", "objects").(string)), &list))
	names := map[string]int{}
	aliases := map[string]bool{}
	for _, e := range list {
		names[e.ObjectName]++
		aliases[e.ObjectAlias] = true
		for _, p := range e.JMESPath {
			aliases[p.ObjectAlias] = true
		}
	}
	for name, times := range names {
		assert.Equal(t, 1, times, "the provider refuses %s twice", name)
	}
	for _, d := range class.at("spec", "secretObjects", 0, "data").([]any) {
		d := d.(map[string]any)
		assert.True(t, aliases[d["objectName"].(string)], "%v is in no object", d["objectName"])
	}
	// Every variable's key is in the secret that the driver makes, and the driver's volume is mounted.
	for _, e := range server(t, objects).at("env").([]any) {
		ref, ok := object{manifest: e.(map[string]any)}.at("valueFrom", "secretKeyRef").(map[string]any)
		if !ok {
			continue
		}
		made := objects["SecretProviderClass/server-secrets"].at("spec", "secretObjects", 0).(map[string]any)
		assert.Equal(t, made["secretName"], ref["name"])
		assert.Contains(t, fmt.Sprint(made["data"]), "key:"+ref["key"].(string)+" ")
	}
	assert.Contains(t, fmt.Sprint(server(t, objects).at("volumeMounts")), secretsMount)

	// The driver does not change a secret that pods use, so that other values and keys are in a secret of another name.
	for what, change := range map[string]func(*Args){
		"another version":    func(a *Args) { a.Secrets[0].Version = pulumi.String("version-2") },
		"one variable fewer": func(a *Args) { a.Secrets = a.Secrets[1:] },
	} {
		changed := testArgs(t, nil)
		change(changed)
		now := build(t, changed)
		assert.NotEqual(t, objects["SecretProviderClass/server-secrets"].at("spec", "secretObjects", 0, "secretName"),
			now["SecretProviderClass/server-secrets"].at("spec", "secretObjects", 0, "secretName"), what)
		assert.NotEqual(t, objects["SecretProviderClass/server-secrets"].name, now["SecretProviderClass/server-secrets"].name, what)
	}
	assert.Equal(t, objects["Job/schema"].name, class.at("spec", "secretObjects", 0, "secretName"), "each job reads the values anew")
}

func TestSecretsInKubernetesAreEncryptedInTheState(t *testing.T) {
	a := testArgs(t, nil)
	a.Config.EKS.Secrets = config.SecretsKubernetes
	objects := build(t, a)
	for key, o := range objects {
		if o.kind != "Secret" {
			assert.NotContains(t, fmt.Sprint(o.manifest), marker, "%s holds a secret", key)
			continue
		}
		data := o.raw["stringData"]
		assert.True(t, data.IsSecret() || data.IsOutput() && data.OutputValue().Secret, "%s is in the state in clear", key)
		assert.Contains(t, fmt.Sprint(o.manifest["stringData"]), marker)
		assert.Equal(t, true, o.at("immutable"))
	}
	assert.Len(t, slices.DeleteFunc(sorted(objects), func(key string) bool {
		return !strings.HasPrefix(key, "Secret/")
	}), 2)
	assert.NotContains(t, objects, "SecretProviderClass/server-secrets")

	t.Run("a changed value rolls the pods and does not run the job again", func(t *testing.T) {
		changed := testArgs(t, nil)
		changed.Config.EKS.Secrets = config.SecretsKubernetes
		changed.Secrets[0].Value = pulumi.ToSecret(pulumi.String(marker + "-other")).(pulumi.StringOutput)
		for i := range changed.SchemaSecrets {
			changed.SchemaSecrets[i].Value = pulumi.ToSecret(pulumi.String(marker + "-rotated")).(pulumi.StringOutput)
		}
		now := build(t, changed)
		assert.NotEqual(t, objects["Deployment/server"].at("spec", "template"), now["Deployment/server"].at("spec", "template"))
		assert.Equal(t, objects["Job/schema"].manifest, now["Job/schema"].manifest)
	})
	t.Run("another version of one of the stack's own secrets runs the job again", func(t *testing.T) {
		changed := testArgs(t, nil)
		changed.SchemaSecrets[len(changed.SchemaSecrets)-1].Version = pulumi.String("version-2")
		now := build(t, changed)
		assert.NotEqual(t, objects["Job/schema"].at("metadata", "name"), now["Job/schema"].at("metadata", "name"))
	})
}

func TestNetworkIsClosedButForTheFlows(t *testing.T) {
	a := testArgs(t, changes("network", changes("egressCidrs", []any{"198.51.100.0/24",
		map[string]any{"cidr": "192.0.2.0/24", "ports": []any{587, 443}}})))
	objects := build(t, a)
	closed := objects["NetworkPolicy/closed"]
	assert.Empty(t, closed.at("spec", "podSelector"))
	assert.Equal(t, []any{"Ingress", "Egress"}, closed.at("spec", "policyTypes"))
	assert.Nil(t, closed.at("spec", "ingress"))
	assert.Nil(t, closed.at("spec", "egress"))

	opened := map[string]string{}
	for key, o := range objects {
		if o.kind != "NetworkPolicy" || key == "NetworkPolicy/closed" {
			continue
		}
		for _, direction := range []string{"ingress", "egress"} {
			rules, ok := o.at("spec", direction).([]any)
			if !ok {
				continue
			}
			require.Len(t, rules, 1)
			rule := object{manifest: rules[0].(map[string]any)}
			peers, _ := rule.at(map[string]string{"ingress": "from", "egress": "to"}[direction]).([]any)
			require.NotEmpty(t, peers, "%s lets everybody in", key)
			require.Len(t, rule.at("ports"), 1, "%s opens every port", key)
			port := fmt.Sprint(rule.at("ports", 0, "port"))
			if last := rule.at("ports", 0, "endPort"); last != nil {
				port += "-" + fmt.Sprint(last)
			}
			var who []string
			for _, p := range peers {
				p := object{manifest: p.(map[string]any)}
				if cidr := p.at("ipBlock", "cidr"); cidr != nil {
					who = append(who, fmt.Sprint(cidr))
					continue
				}
				who = append(who, fmt.Sprint(p.at("namespaceSelector", "matchLabels"), p.at("podSelector", "matchLabels")))
			}
			opened[direction+" "+strings.TrimPrefix(key, "NetworkPolicy/")] = port + " " + strings.Join(who, " ")
		}
	}
	private := "10.0.64.0/20 10.0.80.0/20 10.0.96.0/20"
	members := "5701-5800 <nil> map[app.kubernetes.io/component:server app.kubernetes.io/instance:wso2is-test " +
		"app.kubernetes.io/name:wso2is]"
	dns := "53 map[kubernetes.io/metadata.name:kube-system] map[k8s-app:kube-dns]"
	assert.Equal(t, map[string]string{
		"ingress serve": "9443 10.0.0.0/24 10.0.1.0/24 10.0.2.0/24", "ingress hazelcast": members, "egress hazelcast": members,
		"egress database": "5432 " + private, "egress aws-apis": "443 " + private, "egress s3": "443 52.218.0.0/17 3.5.64.0/21",
		"egress outside": "443 198.51.100.0/24 192.0.2.0/24", "egress outside-587": "587 192.0.2.0/24", "egress dns": dns, "egress dns-tcp": dns,
		"egress pod-identity": "80 169.254.170.23/32", "egress discovery": "443 " + private + " 172.20.0.1/32",
	}, opened)

	t.Run("what a cluster does not have is not opened", func(t *testing.T) {
		a := testArgs(t, nil)
		delete(a.Addresses, firewall.VPCEndpoints)
		delete(a.Addresses, firewall.S3)
		objects := build(t, a)
		assert.NotContains(t, objects, "NetworkPolicy/aws-apis")
		assert.NotContains(t, objects, "NetworkPolicy/s3")
	})
}

//guide:mounted userstores tenants
func TestSharedDirectoriesAreTheAccessPoints(t *testing.T) {
	objects := build(t, testArgs(t, nil))
	for directory, path := range map[string]string{
		"Userstores": "/home/wso2carbon/wso2is-7.1.0/repository/deployment/server/userstores",
		"Tenants":    "/home/wso2carbon/wso2is-7.1.0/repository/tenants",
	} {
		volume, claim := objects["PersistentVolume/"+directory], objects["PersistentVolumeClaim/"+directory]
		assert.Equal(t, "efs.csi.aws.com", volume.at("spec", "csi", "driver"))
		assert.Regexp(t, `^fs-[0-9a-f]+::fsap-[0-9a-f]+$`, volume.at("spec", "csi", "volumeHandle"))
		assert.Equal(t, []any{"tls", "iam"}, volume.at("spec", "mountOptions"))
		assert.Equal(t, []any{"ReadWriteMany"}, volume.at("spec", "accessModes"))
		assert.Equal(t, "Retain", volume.at("spec", "persistentVolumeReclaimPolicy"))
		assert.Equal(t, volume.name, claim.at("spec", "volumeName"))
		assert.Equal(t, "", claim.at("spec", "storageClassName"), "the default class would make another volume")
		assert.Equal(t, claim.name, volume.at("spec", "claimRef", "name"))
		assert.Contains(t, fmt.Sprint(server(t, objects).at("volumeMounts")), path)
	}
}

//guide:mounted own-files
func TestKubeletsMountAShareThatExists(t *testing.T) {
	args := func(path string) *Args {
		a := testArgs(t, nil)
		a.FileSystem = filesystem.Existing(config.FileSystem{Type: config.NFS, Tenants: true, Userstores: true,
			Existing: &config.ExistingShare{Host: "files.example.com", Path: path}})
		return a
	}
	a := args("/exports/wso2is")
	objects := build(t, a)
	name := "Userstores-" + a.FileSystem.Share.Digits()
	volume, claim := objects["PersistentVolume/"+name], objects["PersistentVolumeClaim/"+name]
	assert.Equal(t, map[string]any{"server": "files.example.com", "path": "/exports/wso2is/Userstores"}, volume.at("spec", "nfs"))
	assert.Nil(t, volume.at("spec", "csi"))
	assert.Contains(t, volume.at("spec", "mountOptions"), "nfsvers=4.1")
	assert.Equal(t, volume.name, claim.at("spec", "volumeName"))
	assert.Contains(t, fmt.Sprint(objects["Deployment/server"].at("spec", "template", "spec", "volumes")), claim.name)
	assert.NotContains(t, objects, "NetworkPolicy/shared-files", "the host mounts it")
	assert.NotContains(t, build(t, args("/exports/other")), "PersistentVolume/"+name, "the source of a volume cannot change")
}

//guide:own-share
func TestTheDriverMountsAnSMBShareAsItsUser(t *testing.T) {
	const secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:share-AbCdEf"
	args := func(store config.SecretStore) *Args {
		a := testArgs(t, map[string]any{"eks": map[string]any{"publicAccessCidrs": []string{"203.0.113.7/32"}, "secrets": store}})
		a.FileSystem = filesystem.Existing(config.FileSystem{Type: config.SMB, Tenants: true, Existing: &config.ExistingShare{
			Host: "files.example.com", Path: "/wso2is", CredentialsSecretARN: secret, Domain: "CORP",
		}})
		for _, property := range []string{"username", "password"} {
			a.ShareUser = append(a.ShareUser, Secret{
				Variable: property, Key: "share", Property: property, ARN: pulumi.String(secret), Value: pulumi.String("a " + property),
			})
		}
		return a
	}
	a := args(config.SecretsCSI)
	objects := build(t, a)
	volume := objects["PersistentVolume/Tenants-"+a.FileSystem.Share.Digits()]
	assert.Equal(t, "smb.csi.k8s.io", volume.at("spec", "csi", "driver"))
	assert.Equal(t, "//files.example.com/wso2is/Tenants", volume.at("spec", "csi", "volumeAttributes", "source"))
	assert.Equal(t, map[string]any{"name": "wso2is-share", "namespace": a.Config.EKS.Namespace}, volume.at("spec", "csi", "nodeStageSecretRef"))
	assert.Nil(t, volume.at("spec", "nfs"))
	for _, option := range []string{"vers=3.1.1", "seal", "hard", "uid=802", "gid=802", "forceuid", "forcegid", "domain=CORP"} {
		assert.Contains(t, volume.at("spec", "mountOptions"), option)
	}
	class := objects["SecretProviderClass/share-secrets"]
	assert.Equal(t, "wso2is-share", class.at("spec", "secretObjects").([]any)[0].(map[string]any)["secretName"])
	assert.Contains(t, class.at("spec", "parameters", "objects"), secret)
	pod := objects["Deployment/server"]
	assert.NotContains(t, fmt.Sprint(pod.at("spec", "template", "spec", "containers")), "share-user", "the server does not read the password")
	assert.Contains(t, fmt.Sprint(pod.at("spec", "template", "spec", "initContainers")), "share-user", "the driver makes no secret for an unused volume")

	objects = build(t, args(config.SecretsKubernetes))
	made := objects["Secret/share"]
	assert.Equal(t, "wso2is-share", made.at("metadata", "name"))
	assert.Equal(t, false, made.at("immutable"), "a password changes")
	assert.NotContains(t, fmt.Sprint(objects["Deployment/server"].at("spec", "template", "spec")), "share-user")
}

func TestRestoredFilesAreAVolumeBesideTheOneThatPodsUse(t *testing.T) {
	restore := config.RestoreFrom{FileSystem: "arn:aws:backup:eu-west-1:123456789012:recovery-point:1EB3B5E7-9EB0-435A-A80B-108B488B0D45"}
	objects := build(t, testArgs(t, map[string]any{"restoreFrom": restore}))
	name := "Userstores" + strings.TrimPrefix(restore.FileSystemName(), config.SharedFiles)
	volume, claim := objects["PersistentVolume/"+name], objects["PersistentVolumeClaim/"+name]
	require.NotEqual(t, "wso2is-userstores", claim.name, "a claim that pods use cannot go")
	assert.Equal(t, volume.name, claim.at("spec", "volumeName"))
	assert.Contains(t, fmt.Sprint(objects["Deployment/server"].at("spec", "template", "spec", "volumes")), claim.name)
}

func TestConfigurationIsMountedWhereTheEntrypointCopiesItFrom(t *testing.T) {
	objects := build(t, testArgs(t, nil))
	var source map[string]any
	for _, v := range objects["Deployment/server"].at("spec", "template", "spec", "volumes").([]any) {
		if v := v.(map[string]any); v["name"] == "config" {
			source = v
		}
	}
	volume := object{manifest: source}
	assert.Equal(t, objects["ConfigMap/config"].name, volume.at("configMap", "name"))
	assert.Equal(t, "repository/conf/deployment.toml", volume.at("configMap", "items", 0, "path"))
	assert.Contains(t, fmt.Sprint(server(t, objects).at("volumeMounts")), "mountPath:/home/wso2carbon/wso2-config-volume ")
	t.Run("a baked image has its own", func(t *testing.T) {
		objects := build(t, testArgs(t, changes("container", changes("baked", true))))
		assert.NotContains(t, objects, "ConfigMap/config")
		assert.NotContains(t, fmt.Sprint(server(t, objects).at("volumeMounts")), container.ConfigVolume)
	})
}

//guide:kubernetes-jar
func TestSchemeJarOfReleasesWithoutTheScheme(t *testing.T) {
	prepare := func(version string) string {
		objects := build(t, testArgs(t, changes("version", version)))
		return fmt.Sprint(objects["Deployment/server"].at("spec", "template", "spec", "initContainers", 0, "env"))
	}
	assert.Contains(t, prepare("5.11.0"), "kubernetes-membership-scheme-1.0.10.jar")
	assert.Contains(t, prepare("5.11.0"), "/repository/components/dropins/")
	assert.NotContains(t, prepare("6.0.0"), "membership-scheme")
}

func TestChangesThatReplacePods(t *testing.T) {
	base := build(t, testArgs(t, nil))
	template := base["Deployment/server"].at("spec", "template")
	for name, c := range map[string]struct {
		args       *Args
		rolls, job bool
	}{
		"configuration": {testArgs(t, changes("extraConfig", changes("session_data",
			changes("cleanup", changes("enable_expired_data_cleanup", false))))), true, false},
		"heartbeat": {testArgs(t, changes("clustering", changes("heartbeatTimeout", 30))), true, false},
		"image": {testArgs(t, changes("container", changes("image",
			"123456789012.dkr.ecr.eu-west-1.amazonaws.com/wso2is:7.1.0-2"))), true, true},
		"scale":    {testArgs(t, changes("nodes", changes("count", 4))), false, false},
		"nothing":  {testArgs(t, nil), false, false},
		"database": {testArgs(t, changes("database", changes("poolSize", 80))), true, false},
	} {
		t.Run(name, func(t *testing.T) {
			now := build(t, c.args)
			assert.Equal(t, c.rolls, !assert.ObjectsAreEqual(template, now["Deployment/server"].at("spec", "template")))
			assert.Equal(t, c.job, base["Job/schema"].name != now["Job/schema"].name, "the job runs again")
			if !c.job {
				assert.Equal(t, base["Job/schema"].manifest, now["Job/schema"].manifest, "a job's pod cannot be changed")
			}
			assert.Equal(t, base["Deployment/server"].at("spec", "selector"), now["Deployment/server"].at("spec", "selector"),
				"a deployment cannot change whom it selects")
		})
	}
	t.Run("the database's host", func(t *testing.T) {
		moved := testArgs(t, nil)
		moved.Hosts["main"] = pulumi.String("other.abcdefghijkl.eu-west-1.rds.amazonaws.com")
		now := build(t, moved)
		assert.NotEqual(t, base["Deployment/server"].at("spec", "template", "metadata", "annotations", "checksum/config"),
			now["Deployment/server"].at("spec", "template", "metadata", "annotations", "checksum/config"))
		assert.NotEqual(t, base["Job/schema"].name, now["Job/schema"].name)
	})
}

func TestJobRunsOnceAndStays(t *testing.T) {
	job := build(t, testArgs(t, nil))["Job/schema"]
	assert.Regexp(t, `^wso2is-schema-[0-9a-f]{10}$`, job.name)
	assert.Nil(t, job.at("spec", "ttlSecondsAfterFinished"), "a job that Kubernetes deletes is one that Pulumi misses")
	assert.Equal(t, "Never", job.at("spec", "template", "spec", "restartPolicy"))
}

func TestAutoscalerAndDeploymentDoNotFightOverReplicas(t *testing.T) {
	fixed := build(t, testArgs(t, nil))
	assert.NotContains(t, fixed, "HorizontalPodAutoscaler/server")
	assert.Empty(t, fixed["Deployment/server"].ignore)
	scaled := build(t, testArgs(t, changes("nodes", changes("count", 3, "autoscaling", changes("max", 6, "cpu", 70)))))
	assert.Equal(t, []string{"spec.replicas"}, scaled["Deployment/server"].ignore)
	hpa := scaled["HorizontalPodAutoscaler/server"]
	assert.Equal(t, 3.0, hpa.at("spec", "minReplicas"))
	assert.Equal(t, 6.0, hpa.at("spec", "maxReplicas"))
	assert.Equal(t, scaled["Deployment/server"].name, hpa.at("spec", "scaleTargetRef", "name"))
	assert.Equal(t, 70.0, hpa.at("spec", "metrics", 0, "containerResource", "target", "averageUtilization"))
	assert.Equal(t, 1.0, hpa.at("spec", "behavior", "scaleDown", "policies", 0, "value"), "members leave one at a time")
}

func TestDrainingHostsTakesOneNodeAtATime(t *testing.T) {
	objects := build(t, testArgs(t, nil))
	budget := objects["PodDisruptionBudget/server"]
	assert.Equal(t, 1.0, budget.at("spec", "maxUnavailable"))
	assert.Equal(t, objects["Deployment/server"].at("spec", "selector"), budget.at("spec", "selector"))
}

func TestPodsAreRegisteredWithTheTargetGroup(t *testing.T) {
	objects := build(t, testArgs(t, nil))
	binding := objects["TargetGroupBinding/target-group"]
	assert.Equal(t, "elbv2.k8s.aws/v1beta1", binding.at("apiVersion"))
	assert.Equal(t, "ip", binding.at("spec", "targetType"))
	assert.Equal(t, objects["Service/server"].name, binding.at("spec", "serviceRef", "name"))
	assert.Equal(t, objects["Service/server"].at("spec", "ports", 0, "port"), binding.at("spec", "serviceRef", "port"))
	assert.Nil(t, binding.at("spec", "networking"), "security groups are the firewall's")
	assert.Equal(t, "enabled",
		objects["Namespace/wso2is"].at("metadata", "labels", "elbv2.k8s.aws/pod-readiness-gate-inject"))

	a := testArgs(t, nil)
	a.TargetGroup, a.Ingress = nil, &Ingress{Class: "alb", Annotations: pulumi.StringMap{"a/b": pulumi.String("c")}}
	objects = build(t, a)
	assert.NotContains(t, objects, "TargetGroupBinding/target-group")
	ingress := objects["Ingress/server"]
	assert.Equal(t, "alb", ingress.at("spec", "ingressClassName"))
	assert.Equal(t, "is.example.com", ingress.at("spec", "rules", 0, "host"))
	assert.Equal(t, "c", ingress.at("metadata", "annotations", "a/b"))
}

func TestOrder(t *testing.T) {
	objects := build(t, testArgs(t, nil))
	needs := func(o object, urn string) bool {
		return slices.ContainsFunc(o.dependencies, func(d string) bool { return strings.HasSuffix(d, urn) })
	}
	assert.True(t, needs(objects["Namespace/wso2is"], "Release::before"), "the cluster's own pieces come first")
	deployment := objects["Deployment/server"]
	for _, urn := range []string{
		"Job::schema", "TargetGroupBinding::target-group", "Service::members", "RoleBinding::discovery",
		"NetworkPolicy::closed", "NetworkPolicy::hazelcast", "PersistentVolumeClaim::Tenants",
		"SecretProviderClass::server-secrets",
	} {
		assert.True(t, needs(deployment, urn), "pods start before %s; they need %v", urn, deployment.dependencies)
	}
	for _, urn := range []string{"NetworkPolicy::database", "SecretProviderClass::schema-secrets", "ServiceAccount::server"} {
		assert.True(t, needs(objects["Job/schema"], urn), "the job starts before %s", urn)
	}
	for key, o := range objects {
		if o.kind != "Namespace" {
			assert.True(t, needs(o, "Namespace::wso2is"), "%s outlives its namespace", key)
		}
	}
}

func TestInvalidArguments(t *testing.T) {
	for want, spoil := range map[string]func(*Args){
		"one of both":                             func(a *Args) { a.TargetGroup = nil },
		"has nothing that the store csi":          func(a *Args) { a.Secrets[0].ARN = nil },
		"instance main has no host":               func(a *Args) { a.Hosts = nil },
		"there are no addresses of load-balancer": func(a *Args) { delete(a.Addresses, firewall.LoadBalancer) },
	} {
		a := testArgs(t, nil)
		spoil(a)
		err := pulumi.RunErr(func(ctx *pulumi.Context) error {
			_, err := New(ctx, "workload", a)
			return err
		}, pulumi.WithMocks("wso2is", "test", &componenttest.Plan{}))
		require.Error(t, err)
		assert.Contains(t, err.Error(), want)
	}
}

//guide:nginx
func TestAControllerThatExistsVerifiesPodsAndAloneReachesThem(t *testing.T) {
	a := testArgs(t, nil)
	a.TargetGroup, a.Ingress = nil, &Ingress{
		Class: "nginx", Namespace: "ingress", Certificate: pulumi.String("PEM"), Annotations: pulumi.StringMap{"a/b": pulumi.String("c")},
	}
	objects := build(t, a)
	ingress := objects["Ingress/server"]
	assert.Equal(t, "nginx", ingress.at("spec", "ingressClassName"))
	assert.Equal(t, map[string]any{"a/b": "c", "pulumi.com/skipAwait": "true"}, ingress.at("metadata", "annotations"))
	assert.Equal(t, []any{a.Config.Hostname}, ingress.at("spec", "tls", 0, "hosts"))
	assert.Equal(t, "PEM", objects["Secret/certificate"].at("stringData", "ca.crt"))
	assert.Equal(t, CertificateSecret(a.Config), pulumi.String(a.Config.EKS.Namespace+"/"+objects["Secret/certificate"].name))
	assert.Equal(t, []any{map[string]any{"namespaceSelector": map[string]any{"matchLabels": map[string]any{"kubernetes.io/metadata.name": "ingress"}}}},
		objects["NetworkPolicy/serve"].at("spec", "ingress", 0, "from"))
}

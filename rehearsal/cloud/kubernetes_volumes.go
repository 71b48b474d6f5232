package cloud

import (
	"errors"
	"path"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// smbChart is the chart of the SMB CSI driver.
const smbChart = "csi-driver-smb"

// volumeMountable refuses a volume of a missing EFS file system, and one that nothing in the stack's own cluster could mount.
func volumeMountable(c *Call) error {
	driver, handle := c.text("spec.csi.driver"), c.text("spec.csi.volumeHandle")
	if driver == "smb.csi.k8s.io" {
		return smbMountable(c)
	}
	if driver != "efs.csi.aws.com" || handle == "" || c.Preview {
		return nil
	}
	fs, rest, _ := strings.Cut(handle, ":")
	point := rest[strings.LastIndex(rest, ":")+1:]
	system := c.Cloud.find(fs, "id", state.FileSystem)
	if system == nil {
		return fail("NotFound", "spec.csi.volumeHandle is %s, and there is no such file system", handle)
	}
	if point == "" {
		return nil
	}
	access := c.Cloud.find(point, "id", state.AccessPoint)
	if access == nil || text(access.Inputs, "fileSystemId") != fs {
		return fail("NotFound", "spec.csi.volumeHandle is %s, and %s has no such access point", handle, system.describe())
	}
	return nil
}

// smbMountable refuses a volume of the SMB CSI driver without the driver, its source or its secret.
// Source: docs/driver-parameters.md of github.com/kubernetes-csi/csi-driver-smb.
func smbMountable(c *Call) error {
	var wrong []error
	if !strings.HasPrefix(c.text("spec.csi.volumeAttributes.source"), "//") {
		wrong = append(wrong, fail("InvalidArgument", "spec.csi.volumeAttributes.source is %q and no share such as //host/share",
			c.text("spec.csi.volumeAttributes.source")))
	}
	for _, key := range []string{"name", "namespace"} {
		if c.text("spec.csi.nodeStageSecretRef."+key) == "" && !c.unknown("spec.csi.nodeStageSecretRef."+key) {
			wrong = append(wrong, fail("InvalidArgument", "spec.csi.nodeStageSecretRef has no %s: the driver needs a user and a password", key))
		}
	}
	installed := func(r *Resource) bool { return path.Base(text(r.Inputs, "chart")) == smbChart }
	if c.Cloud.ownsCluster() && !c.Preview && !slices.ContainsFunc(c.Cloud.all(state.HelmRelease), installed) {
		wrong = append(wrong, fail("FailedMount", "driver name smb.csi.k8s.io not found in the list of registered CSI drivers"))
	}
	return errors.Join(wrong...)
}

// notMounted prevents an access point's deletion while a volume of the cluster uses it.
func notMounted(c *Call) error {
	for _, v := range c.Cloud.all(state.PersistentVolume) {
		if strings.HasSuffix(text(v.Inputs, "spec.csi.volumeHandle"), "::"+c.ID) {
			return fail(inUse, "%s is still mounted by %s", c.Old.describe(), v.describe())
		}
	}
	return nil
}

// claimBinds checks that a claim fits the volume that it names. Otherwise it would wait without an end.
func claimBinds(c *Call) error {
	volume := c.Cloud.find(c.text("spec.volumeName"), "metadata.name", state.PersistentVolume)
	if volume == nil || c.Preview {
		return nil
	}
	var wrong []error
	differ := func(what, claim, has string) {
		if claim != has {
			wrong = append(wrong, fail("Pending", "the claim's %s is %q and that of %s %q", what, claim, volume.describe(), has))
		}
	}
	differ("storage class", c.text("spec.storageClassName"), text(volume.Inputs, "spec.storageClassName"))
	if name := text(volume.Inputs, "spec.claimRef.name"); name != "" {
		differ("name", c.text("metadata.name"), name)
		differ("namespace", c.text("metadata.namespace"), text(volume.Inputs, "spec.claimRef.namespace"))
	}
	for _, mode := range texts(c.In, "spec.accessModes[]") {
		if !slices.Contains(texts(volume.Inputs, "spec.accessModes[]"), mode) {
			wrong = append(wrong, fail("Pending", "%s cannot be mounted %s", volume.describe(), mode))
		}
	}
	for _, other := range c.Cloud.all(state.PersistentVolumeClaim) {
		if other != c.Old && text(other.Inputs, "spec.volumeName") == c.text("spec.volumeName") {
			wrong = append(wrong, fail("Pending", "%s is bound to %s", volume.describe(), other.describe()))
		}
	}
	return errors.Join(wrong...)
}

// listed is an entry in the objects of a SecretProviderClass, in the format of the AWS provider.
type listed struct {
	ObjectName  string `yaml:"objectName"`
	ObjectType  string `yaml:"objectType"`
	ObjectAlias string `yaml:"objectAlias"`
	JMESPath    []struct {
		Path        string `yaml:"path"`
		ObjectAlias string `yaml:"objectAlias"`
	} `yaml:"jmesPath"`
}

// classLists refuses a list that the AWS provider refuses: objects twice, or keys that no object has.
func classLists(c *Call) error {
	if c.text("spec.provider") != "aws" || c.unknown("spec.parameters.objects") {
		return nil
	}
	var list []listed
	decoder := yaml.NewDecoder(strings.NewReader(c.text("spec.parameters.objects")))
	decoder.KnownFields(true)
	if err := decoder.Decode(&list); err != nil {
		return fail("Invalid", "spec.parameters.objects: %s", err)
	}
	given, seen := map[string]bool{}, map[string]bool{}
	var wrong []error
	for _, o := range list {
		if o.ObjectName == "" || seen[o.ObjectName] {
			wrong = append(wrong, fail("Invalid", "spec.parameters.objects: the name %q is empty or there twice", o.ObjectName))
		}
		seen[o.ObjectName] = true
		given[o.ObjectName], given[o.ObjectAlias] = true, true
		for _, p := range o.JMESPath {
			given[p.ObjectAlias] = true
		}
	}
	for _, name := range texts(c.In, "spec.secretObjects[].data[].objectName") {
		if !given[name] {
			wrong = append(wrong, fail("Invalid", "spec.secretObjects: no object is called %s", name))
		}
	}
	return errors.Join(wrong...)
}

// secretsExist refuses a list with a secret that Secrets Manager does not have.
func secretsExist(c *Call) error {
	var list []listed
	if c.Preview || yaml.Unmarshal([]byte(c.text("spec.parameters.objects")), &list) != nil {
		return nil
	}
	var wrong []error
	for _, o := range list {
		found := c.Cloud.find(o.ObjectName, "arn", state.Secret) != nil
		for _, db := range c.Cloud.databases() {
			found = found || slices.Contains(texts(db.Outputs, "masterUserSecrets[].secretArn"), o.ObjectName)
		}
		if !found {
			wrong = append(wrong, fail("ResourceNotFoundException", "spec.parameters.objects: Secrets Manager has no secret %s",
				o.ObjectName))
		}
	}
	if region := c.text("spec.parameters.region"); region != "" && region != c.Cloud.region {
		wrong = append(wrong, fail("ResourceNotFoundException", "spec.parameters.region is %s in %s", region, c.Cloud.region))
	}
	return errors.Join(wrong...)
}

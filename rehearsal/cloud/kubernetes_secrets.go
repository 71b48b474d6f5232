package cloud

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
	corev1 "k8s.io/api/core/v1"
)

// syncedSecret is the type of a Kubernetes secret that the Secrets Store CSI driver has made for the pods of its owner.
const syncedSecret = "kubernetes:core/v1:Secret (synced)"

// synced is a Kubernetes secret that the driver makes for a pod. Sum is a checksum of the values and keys that it would have now.
type synced struct {
	name, sum string
	// rotated says that it has a password of a master user, which RDS changes by itself.
	rotated bool
}

// syncs returns the secrets that the driver makes for a pod.
func (c *Cloud) syncs(namespace string, pod *corev1.PodSpec) []synced {
	var all []synced
	for _, class := range c.syncedClasses(namespace, pod) {
		written := text(class.Inputs, "spec.parameters.objects")
		values := written + fmt.Sprint(get(class.Inputs, "spec.secretObjects"))
		var list []listed
		_ = yaml.Unmarshal([]byte(written), &list) // classLists has refused a wrong list
		for _, o := range list {
			if s := c.secret(o.ObjectName); s != nil {
				values += "\n" + s.Contents
			}
		}
		for _, made := range objects(class.Inputs, "spec.secretObjects[]") {
			all = append(all, synced{namespace + "/" + text(made, "secretName"), identifier(values, "uuid"), strings.Contains(written, ":secret:rds!")})
		}
	}
	return all
}

// staleSecrets checks that new pods get the present values. The driver makes a Kubernetes secret once, and changes nothing in it
// as long as a pod uses it, also one of a finished job.
// Source: Reconcile in controllers/secretproviderclasspodstatus_controller.go of secrets-store-csi-driver.
func staleSecrets(c *Call, pod *corev1.PodSpec) error {
	if c.Old != nil && reflect.DeepEqual(get(c.Old.Inputs, "spec.template"), get(c.In, "spec.template")) {
		return nil // no pod starts
	}
	var wrong []error
	for _, one := range c.Cloud.syncs(c.text("metadata.namespace"), pod) {
		made := c.Cloud.find(one.name, "id", syncedSecret)
		if made != nil && (text(made.Inputs, "sum") != one.sum || one.rotated) {
			wrong = append(wrong, fail("CreateContainerConfigError", "the secret %s has the values with which the Secrets Store CSI driver made "+
				"it for earlier pods: the driver does not change it, so other values need a secret of another name", one.name))
		}
	}
	return errors.Join(wrong...)
}

// syncSecrets makes the secrets of new pods that are not there, and deletes those that only old pods used.
func syncSecrets(c *Call) {
	var pod corev1.PodSpec
	in, _ := get(c.In, "spec.template.spec").(Object)
	if c.Preview || decode(in, &pod) != nil {
		return
	}
	wanted := c.Cloud.syncs(c.text("metadata.namespace"), &pod)
	for _, s := range c.Cloud.all(syncedSecret) {
		if s.Owner == c.ID && !slices.ContainsFunc(wanted, func(one synced) bool { return one.name == s.ID }) {
			_ = c.Cloud.remove(s)
		}
	}
	for _, one := range wanted {
		if c.Cloud.find(one.name, "id", syncedSecret) == nil {
			_ = c.Cloud.put(&Resource{
				Token: syncedSecret, ID: one.name, Owner: c.ID, Inputs: Object{"sum": one.sum}, Outputs: Object{"id": one.name}, Secrets: []string{"sum"},
			})
		}
	}
}

// unsyncSecrets deletes the secrets of deleted pods.
func unsyncSecrets(c *Call) {
	for _, s := range c.Cloud.all(syncedSecret) {
		if s.Owner == c.ID {
			_ = c.Cloud.remove(s)
		}
	}
}

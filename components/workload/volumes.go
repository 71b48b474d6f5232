package workload

import (
	"fmt"
	"strings"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/container"
	"github.com/wso2is-aws/wso2is/components/filesystem"
	"github.com/wso2is-aws/wso2is/config"
)

// nominalSize is the size in volumes and claims. EFS grows by itself and nothing reads the number, but the API requires
// one.
const nominalSize = "5Gi"

// volumeName is a shared directory as its volume is called in Pulumi. A restored file system has digits of its recovery point in
// its name: a claim cannot go while pods use it, so that the new one has to stand beside it ("Storage Object in Use Protection"
// in the Kubernetes documentation). The same is true of another share or existing file system, whose digits are in
// the name.
func (b *builder) volumeName(directory string) string {
	if digits := b.FileSystem.Digits(); digits != "" {
		return directory + "-" + digits
	}
	return directory + strings.TrimPrefix(b.Config.RestoreFrom.FileSystemName(), config.SharedFiles)
}

// claimName is the PersistentVolumeClaim of a shared directory.
func (b *builder) claimName(directory string) string {
	return Name + "-" + strings.ToLower(b.volumeName(directory))
}

// volumes makes a volume and a claim for each shared directory, bound to each other by name: nothing else in the
// Kubernetes cluster can use the volume, and no storage class makes another.
func (b *builder) volumes() ([]pulumi.Resource, error) {
	var all []pulumi.Resource
	for _, directory := range b.FileSystem.Directories {
		pulumiName, claim := b.volumeName(directory), b.claimName(directory)
		name := b.Cluster + "-" + strings.ToLower(pulumiName)
		volume, err := corev1.NewPersistentVolume(b.ctx, b.Named(pulumiName), &corev1.PersistentVolumeArgs{
			Metadata: b.cluster(name, nil),
			Spec: &corev1.PersistentVolumeSpecArgs{
				Capacity:    pulumi.StringMap{"storage": pulumi.String(nominalSize)},
				VolumeMode:  pulumi.String("Filesystem"),
				AccessModes: pulumi.StringArray{pulumi.String("ReadWriteMany")},
				// The file system and its own protection keep the files.
				PersistentVolumeReclaimPolicy: pulumi.String("Retain"),
				MountOptions:                  pulumi.ToStringArray(b.mountOptions()),
				ClaimRef: &corev1.ObjectReferenceArgs{
					ApiVersion: pulumi.String("v1"), Kind: pulumi.String("PersistentVolumeClaim"),
					Namespace: b.namespace.ToStringPtrOutput(), Name: pulumi.String(claim),
				},
				Csi: b.csi(directory), Nfs: b.nfs(directory),
			},
		}, b.child...)
		if err != nil {
			return nil, fmt.Errorf("of %s: %w", directory, err)
		}
		bound, err := corev1.NewPersistentVolumeClaim(b.ctx, b.Named(pulumiName), &corev1.PersistentVolumeClaimArgs{
			Metadata: b.meta(claim, ""),
			Spec: &corev1.PersistentVolumeClaimSpecArgs{
				AccessModes:      pulumi.StringArray{pulumi.String("ReadWriteMany")},
				StorageClassName: pulumi.String(""),
				VolumeName:       volume.Metadata.Name(),
				VolumeMode:       pulumi.String("Filesystem"),
				Resources: &corev1.VolumeResourceRequirementsArgs{
					Requests: pulumi.StringMap{"storage": pulumi.String(nominalSize)},
				},
			},
		}, b.child...)
		if err != nil {
			return nil, fmt.Errorf("of %s: %w", directory, err)
		}
		all = append(all, volume, bound)
	}
	return all, nil
}

func (b *builder) mountOptions() []string {
	if share := b.FileSystem.Share; share != nil {
		return share.Options
	}
	return []string{"tls", "iam"}
}

// csi is the source of a shared directory on EFS or an SMB server, and nil for NFS.
func (b *builder) csi(directory string) corev1.CSIPersistentVolumeSourcePtrInput {
	if share := b.FileSystem.Share; share != nil {
		if share.Secret == "" {
			return nil
		}
		// docs/driver-parameters.md of kubernetes-csi/csi-driver-smb
		return &corev1.CSIPersistentVolumeSourceArgs{
			Driver: pulumi.String("smb.csi.k8s.io"), VolumeHandle: pulumi.String(b.Cluster + share.Source(directory)),
			VolumeAttributes:   pulumi.StringMap{"source": pulumi.String(share.Source(directory))},
			NodeStageSecretRef: &corev1.SecretReferenceArgs{Name: pulumi.String(shareName), Namespace: b.namespace.ToStringPtrOutput()},
		}
	}
	return &corev1.CSIPersistentVolumeSourceArgs{
		Driver: pulumi.String("efs.csi.aws.com"), VolumeHandle: pulumi.Sprintf("%s::%s", b.FileSystem.ID, b.FileSystem.AccessPoints[directory]),
	}
}

// nfs is the source of a shared directory on an NFS server, and nil for others. The kubelet mounts it.
func (b *builder) nfs(directory string) corev1.NFSVolumeSourcePtrInput {
	share := b.FileSystem.Share
	if share == nil || share.Secret != "" {
		return nil
	}
	return &corev1.NFSVolumeSourceArgs{Server: pulumi.String(share.Host), Path: pulumi.String(share.Below(directory))}
}

// shareUser makes the secret that the SMB CSI driver reads when it mounts the share, and returns the volumes by which it exists. Without
// the Secrets Store CSI driver there are none. That driver makes a secret only for a volume that a container mounts, so the tools mount
// it and not the server. The kubelet mounts all volumes of a pod at the same time, and tries the share again until the secret exists.
func (b *builder) shareUser() ([]mount, error) {
	if len(b.ShareUser) == 0 {
		return nil, nil
	}
	set, err := b.secrets(shareRole, b.ShareUser, pulumi.String(shareName))
	if err != nil {
		return nil, fmt.Errorf("giving the share its user: %w", err)
	}
	for i := range set.volumes {
		set.volumes[i].name, set.volumes[i].path = "share-user", "/mnt/share-user"
	}
	return set.volumes, nil
}

// mount is a volume of a pod and its path in a container.
type mount struct {
	name, path, subPath string
	readOnly            bool
	source              corev1.VolumeArgs
}

// shared are the mounts of the shared directories in the server.
func (b *builder) shared() []mount {
	paths := map[string]string{
		filesystem.Userstores: container.UserstoresPath(b.Config.Version),
		filesystem.Tenants:    container.TenantsPath(b.Config.Version),
	}
	var mounts []mount
	for _, directory := range b.FileSystem.Directories {
		mounts = append(mounts, mount{
			name: strings.ToLower(directory), path: paths[directory],
			source: corev1.VolumeArgs{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSourceArgs{
				ClaimName: pulumi.String(b.claimName(directory)),
			}},
		})
	}
	return mounts
}

// scratch is a directory that lives as long as the pod.
func scratch(name, path string) mount {
	return mount{name: name, path: path, source: corev1.VolumeArgs{EmptyDir: &corev1.EmptyDirVolumeSourceArgs{}}}
}

// file is one key of a ConfigMap and its path below the mount.
type file struct{ key, path string }

// configured is a ConfigMap as a directory tree.
func configured(name, path string, configMap pulumi.StringInput, files ...file) mount {
	items := corev1.KeyToPathArray{}
	for _, f := range files {
		items = append(items, corev1.KeyToPathArgs{Key: pulumi.String(f.key), Path: pulumi.String(f.path)})
	}
	return mount{name: name, path: path, readOnly: true, source: corev1.VolumeArgs{
		ConfigMap: &corev1.ConfigMapVolumeSourceArgs{Name: configMap.ToStringOutput().ToStringPtrOutput(), Items: items},
	}}
}

// at returns the same volume, with one file of it, at another path.
func (m mount) at(path, subPath string) mount {
	m.path, m.subPath = path, subPath
	return m
}

// mounts lists the volumes' paths in a container.
func mounts(all ...mount) corev1.VolumeMountArray {
	list := corev1.VolumeMountArray{}
	for _, m := range all {
		v := corev1.VolumeMountArgs{Name: pulumi.String(m.name), MountPath: pulumi.String(m.path)}
		if m.subPath != "" {
			v.SubPath = pulumi.String(m.subPath)
		}
		if m.readOnly {
			v.ReadOnly = pulumi.Bool(true)
		}
		list = append(list, v)
	}
	return list
}

// volumesOf lists each volume once.
func volumesOf(all ...mount) corev1.VolumeArray {
	list, seen := corev1.VolumeArray{}, map[string]bool{}
	for _, m := range all {
		if seen[m.name] {
			continue
		}
		seen[m.name] = true
		m.source.Name = pulumi.String(m.name)
		list = append(list, m.source)
	}
	return list
}

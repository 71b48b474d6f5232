package cloud

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// smbDriver is the release of the SMB CSI driver.
func smbDriver(values Object) Object {
	return Object{
		"chart": "csi-driver-smb", "version": "1.20.3", "namespace": "kube-system", "name": "csi-driver-smb",
		"repositoryOpts": Object{"repo": "https://kubernetes-csi.github.io/csi-driver-smb"}, "values": values,
	}
}

func TestAnSMBShareNeedsItsDriverItsSourceAndItsUser(t *testing.T) {
	w := pods(t)
	_, err := w.try(state.HelmRelease, "driver", smbDriver(Object{"images": Object{}}))
	require.ErrorContains(t, err, "the chart csi-driver-smb has no value images")
	_, volume := manifest(t, "PersistentVolume", "Tenants")
	volume = set(volume, "share", "metadata", "name")
	csi := func(source string, ref Object) Object {
		return set(volume, Object{
			"driver": "smb.csi.k8s.io", "volumeHandle": "share", "volumeAttributes": Object{"source": source}, "nodeStageSecretRef": ref,
		}, "spec", "csi")
	}
	user := Object{"name": "wso2is-share", "namespace": "wso2is"}
	_, err = w.try(state.PersistentVolume, "share", csi("//files.example.com/wso2is/Tenants", user))
	require.ErrorContains(t, err, "driver name smb.csi.k8s.io not found in the list of registered CSI drivers")
	w.create(state.HelmRelease, "driver", smbDriver(Object{"image": Object{}}))
	_, err = w.try(state.PersistentVolume, "share", csi("files.example.com:/wso2is", user))
	require.ErrorContains(t, err, "no share such as //host/share")
	_, err = w.try(state.PersistentVolume, "share", csi("//files.example.com/wso2is/Tenants", Object{"namespace": "wso2is"}))
	require.ErrorContains(t, err, "nodeStageSecretRef has no name")
	_, err = w.try(state.PersistentVolume, "share", csi("//files.example.com/wso2is/Tenants", user))
	require.NoError(t, err)
}

package ekscluster

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/config"
)

// smbChart is the chart and the release of the SMB CSI driver.
const smbChart = "csi-driver-smb"

// NewSMBDriver installs the SMB CSI driver. EKS has no add-on for it ("Available Amazon EKS add-ons from AWS" and "Community add-ons" in
// the EKS user guide). The driver calls no AWS service, and has no role. The options must contain the provider of the cluster.
func NewSMBDriver(
	ctx *pulumi.Context, scope awskit.Scope, c config.Cluster, cluster *Cluster, opts ...pulumi.ResourceOption,
) (pulumi.Resource, error) {
	options := c.EKS.SMBDriver
	repository, tag, err := config.SplitImage(options.Image)
	if err != nil {
		return nil, fmt.Errorf("reading %s:eks.smbDriver.image: %w", config.Namespace, err)
	}
	// A repository that begins with a slash is below baseRepo (templates of the chart).
	beside := func(image string) pulumi.Map { return pulumi.Map{"repository": pulumi.String("/" + image)} }
	release, err := newRelease(ctx, scope.Named(smbChart), releaseArgs{
		Name: smbChart, Namespace: "kube-system", Chart: smbChart, Version: options.Chart, Repository: options.Repository,
		Values: pulumi.Map{
			"image": pulumi.Map{
				"baseRepo":       pulumi.String(strings.TrimSuffix(repository, "/smbplugin")),
				"smb":            pulumi.Map{"repository": pulumi.String("/smbplugin"), "tag": pulumi.String(tag)},
				"csiProvisioner": beside("csi-provisioner"), "csiResizer": beside("csi-resizer"),
				"livenessProbe": beside("livenessprobe"), "nodeDriverRegistrar": beside("csi-node-driver-registrar"),
			},
			"windows": pulumi.Map{"enabled": pulumi.Bool(false)},
		},
	}, awskit.With(opts, pulumi.DependsOn(cluster.Ready))...)
	if err != nil {
		return nil, fmt.Errorf("installing the SMB CSI driver: %w", err)
	}
	return release, nil
}

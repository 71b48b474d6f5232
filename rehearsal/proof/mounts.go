package proof

import (
	"github.com/wso2is-aws/wso2is/rehearsal/proof/iam"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// proveDenials proves that shared files are mounted through an access point and over TLS only, even by a principal that
// may do everything in the account. One allow in the file system's policy or in the caller's is enough, so only a deny
// prevents other mounts.
// https://docs.aws.amazon.com/efs/latest/ug/iam-access-control-nfs-efs.html
func (a *access) proveDenials() {
	for _, f := range a.Of(state.FileSystem) {
		point := a.arn("elasticfilesystem", "access-point/fsap-0")
		for _, by := range []struct {
			how, tls string
			point    []string
		}{
			{"without an access point, as root of everything in it", "true", nil}, {"without TLS", "false", []string{point}},
		} {
			fault, _ := a.decide(call{as: a.deployer(), action: "elasticfilesystem:ClientMount", on: a.arn("elasticfilesystem", "file-system/"+f.ID),
				context: iam.Context{
					"aws:SecureTransport": {by.tls}, "elasticfilesystem:AccessedViaMountTarget": {"true"}, "elasticfilesystem:AccessPointArn": by.point,
				}})
			if fault == "" {
				a.files.fault("a principal with all permissions mounts %s %s: no policy denies that", f, by.how)
			}
		}
	}
}

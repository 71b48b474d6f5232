package proof

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/proof/iam"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// fileRestores are the automations that have files restored from a recovery point.
func (c *cluster) fileRestores() []*state.Resource {
	var all []*state.Resource
	for _, r := range c.Of(state.SSMAssociation) {
		if r.Object("parameters").Text("RecoveryPoint") != "" {
			all = append(all, r)
		}
	}
	return all
}

// restoredFiles proves of files that are restored from a recovery point that they come to where nodes mount them. AWS Backup leaves
// them in a directory aws-backup-restore_<time> in the root, in a new file system too (aws-cli #6468).
func (c *cluster) restoredFiles() *Verdict {
	v := &Verdict{Claim: "Restored files are where nodes mount them"}
	all := c.fileRestores()
	for _, r := range all {
		told := r.Object("parameters")
		files := c.Get(state.FileSystem, told.Text("FileSystem"))
		function := c.One(state.LambdaFunction, told.Text("Function"), "name")
		if files == nil || function == nil {
			v.fault("%s restores into a file system, or has files moved by a function, that is not in the state", r)
			continue
		}
		if point := c.One(state.AccessPoint, function.Object("fileSystemConfig").Text("arn"), "arn"); point == nil ||
			point.Text("fileSystemId") != files.ID || point.Object("rootDirectory").Text("path") != "/" || !isRoot(point) {
			v.fault("%s does not mount the root of %s as root: it cannot move what AWS Backup leaves there", function, files)
		}
		moved := c.movedBy(r)
		for _, point := range c.With(state.AccessPoint, "fileSystemId", files.ID) {
			path := strings.TrimPrefix(point.Object("rootDirectory").Text("path"), "/")
			if ofNodes(c, point, Expected{}) && !slices.Contains(moved, path) {
				v.fault("nodes mount %s of %s, and %s does not move it there: they would find it empty", path, files, r)
			}
		}
	}
	if len(all) == 0 {
		return nil
	}
	v.Shown = "in a file system of their own, moved as root before a server starts"
	return v
}

func isRoot(point *state.Resource) bool {
	uid, given := state.Int(point.Object("posixUser")["uid"])
	return given && uid == 0
}

// movedBy are the directories that an automation has moved.
func (c *cluster) movedBy(r *state.Resource) []string {
	document := c.One(state.SSMDocument, r.Text("name"), "name", "arn")
	var content struct{ MainSteps []step }
	if document == nil || json.Unmarshal([]byte(document.Text("content")), &content) != nil {
		return nil
	}
	for _, s := range content.MainSteps {
		if payload := s.Inputs.Object("InputPayload"); payload.Text("function") != "" {
			return payload.Texts("directories")
		}
	}
	return nil
}

// proveRestore proves that a step which starts a restore may pass on the role of AWS Backup, and that this role may restore.
// Source: AWSBackupServiceRolePolicyForRestores in docs.aws.amazon.com/aws-managed-policy/latest/reference, its statements of EFS and
// KMS, without what makes a new file system.
func (a *access) proveRestore(one call, inputs state.Object) {
	role, files := a.One(state.Role, inputs.Text("restorer"), "arn"), a.Get(state.FileSystem, inputs.Text("fileSystem"))
	if role == nil || files == nil {
		a.services.fault("%s restores under a role, or into a file system, that is not in the state", one.by)
		return
	}
	a.check(a.services, call{by: one.by, as: one.as, action: "iam:PassRole", on: role.Text("arn"), proves: one.proves, context: iam.Context{
		"iam:PassedToService": {"backup.amazonaws.com"},
	}})
	by := call{by: fmt.Sprintf("AWS Backup, for %s", files), as: a.role(role), proves: "AWS Backup"}
	a.check(a.services, each(by, files.Text("arn"), "elasticfilesystem:DescribeFileSystems", "elasticfilesystem:Restore")...)
	key := a.keyOf(files.Text("kmsKeyId"))
	by.context = iam.Context{"kms:ViaService": {"elasticfilesystem." + a.region + "." + a.suffix()}, "kms:GrantIsForAWSResource": {"true"}}
	a.check(a.services, each(by, key, "kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey",
		"kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo")...)
}

// proveFunction proves that Lambda may put a function's network interfaces into its subnets, and that it may mount and write as root.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html and configuration-filesystem.html. Lambda mounts over TLS: it
// "encrypts all traffic to and from the file system" (services-efs.html there).
func (a *access) proveFunction(function *state.Resource) {
	role := a.One(state.Role, function.Text("role"), "arn")
	point := a.One(state.AccessPoint, function.Object("fileSystemConfig").Text("arn"), "arn")
	if role == nil || point == nil {
		a.services.fault("%s has a role or an access point that is not in the state", function)
		return
	}
	one := call{by: function.String(), as: a.role(role), proves: "restored files"}
	a.check(a.services, each(one, "*", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets")...)
	a.check(a.services, each(one, a.arn("ec2", "network-interface/eni-0"), "ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface",
		"ec2:DeleteNetworkInterface", "ec2:UnassignPrivateIpAddresses")...)
	mounts := a.mountCalls(point.Text("fileSystemId"), point.ID, true, one)
	root := mounts[0]
	root.action = "elasticfilesystem:ClientRootAccess"
	a.check(a.services, append(mounts, root)...)
}

package proof

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/proof/iam"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// fileRestores returns the automations that restore files from a recovery point.
func (c *cluster) fileRestores() []*state.Resource {
	var all []*state.Resource
	for _, r := range c.Of(state.SSMAssociation) {
		if r.Object("parameters").Text("RecoveryPoint") != "" {
			all = append(all, r)
		}
	}
	return all
}

// restoredFiles proves that restored files reach the directories that nodes mount. AWS Backup restores into a directory
// aws-backup-restore_<time> in the root, even in a new file system (aws-cli #6468).
func (c *cluster) restoredFiles() *Verdict {
	v := &Verdict{Claim: "Restored files are where nodes mount them"}
	all := c.fileRestores()
	for _, r := range all {
		told := r.Object("parameters")
		files := c.Get(state.FileSystem, told.Text("FileSystem"))
		function := c.One(state.LambdaFunction, told.Text("Function"), "name")
		if files == nil || function == nil {
			v.fault("%s names a file system or a function that is not in the state", r)
			continue
		}
		if point := c.One(state.AccessPoint, function.Object("fileSystemConfig").Text("arn"), "arn"); point == nil ||
			point.Text("fileSystemId") != files.ID || point.Object("rootDirectory").Text("path") != "/" || !isRoot(point) {
			v.fault("%s does not mount the root of %s as root, so it cannot move the restored files", function, files)
		}
		moved := c.movedBy(r)
		for _, point := range c.With(state.AccessPoint, "fileSystemId", files.ID) {
			path := strings.TrimPrefix(point.Object("rootDirectory").Text("path"), "/")
			if ofNodes(c, point, Expected{}) && !slices.Contains(moved, path) {
				v.fault("nodes mount %s of %s, but %s does not move the restored files there: nodes would find it empty", path, files, r)
			}
		}
	}
	if len(all) == 0 {
		return nil
	}
	v.Shown = "in a new file system; a function moves them as root before a server starts"
	return v
}

func isRoot(point *state.Resource) bool {
	uid, given := state.Int(point.Object("posixUser")["uid"])
	return given && uid == 0
}

// movedBy returns the directories that an automation moves.
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

// proveRestore proves the permissions of a step that starts a restore. The step may pass on the role of AWS Backup, and this role
// may restore. Source: the statements of EFS and KMS in AWSBackupServiceRolePolicyForRestores
// (docs.aws.amazon.com/aws-managed-policy/latest/reference). The permissions to create a file system are not needed.
func (a *access) proveRestore(one call, inputs state.Object) {
	role, files := a.One(state.Role, inputs.Text("restorer"), "arn"), a.Get(state.FileSystem, inputs.Text("fileSystem"))
	if role == nil || files == nil {
		a.services.fault("%s names a role or a file system that is not in the state", one.by)
		return
	}
	a.check(a.services, call{by: one.by, as: one.as, action: "iam:PassRole", on: role.Text("arn"), proves: one.proves, context: iam.Context{
		"iam:PassedToService": {"backup.amazonaws.com"},
	}})
	by := call{by: fmt.Sprintf("AWS Backup, for %s", files), as: a.role(role), proves: "AWS Backup"}
	a.check(a.services, each(by, files.Text("arn"), "elasticfilesystem:DescribeFileSystems", "elasticfilesystem:Restore")...)
	key := a.keyOf(files.Text("kmsKeyId"))
	a.check(a.services, each(by, key, "kms:DescribeKey")...) // through no other service
	by.context = iam.Context{"kms:ViaService": {"elasticfilesystem." + a.region + "." + a.suffix()}, "kms:GrantIsForAWSResource": {"true"}}
	a.check(a.services, each(by, key, "kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey",
		"kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo")...)
}

// proveFunction proves that Lambda may create a function's network interfaces in its subnets. It also proves that the function may
// mount the file system and write as root. Sources: configuration-vpc.html and configuration-filesystem.html in
// https://docs.aws.amazon.com/lambda/latest/dg/. Lambda mounts over TLS: it "encrypts all traffic to and from the file system"
// (services-efs.html there).
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

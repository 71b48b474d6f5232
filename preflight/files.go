package main

import (
	"context"
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	"github.com/aws/aws-sdk-go-v2/service/efs/types"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/ports"
	"github.com/wso2is-aws/wso2is/rehearsal/proof/iam"
)

// filesOf are the checks of an EFS file system that exists.
func (p *preflight) filesOf(e config.ExistingShare) []check {
	id := path.Base(e.FileSystemARN)
	policy := []string{"elasticfilesystem:DescribeFileSystemPolicy"}
	if p.cluster.EKS.Cluster != nil {
		policy = append(policy, "iam:SimulatePrincipalPolicy")
	}
	return []check{
		{"EFS file system " + id, []string{"elasticfilesystem:DescribeFileSystems"},
			func(ctx context.Context) (result, error) { return p.checkFileSystem(ctx, e) }},
		{"mount targets of " + id, []string{"elasticfilesystem:DescribeMountTargets",
			"elasticfilesystem:DescribeMountTargetSecurityGroups", "ec2:DescribeSecurityGroups"},
			func(ctx context.Context) (result, error) { return p.checkMountTargets(ctx, e) }},
		{"policy of " + id, policy,
			func(ctx context.Context) (result, error) { return p.checkFilePolicy(ctx, e) }},
	}
}

// checkFileSystem checks that the file system is there, and that nodes can share it.
func (p *preflight) checkFileSystem(ctx context.Context, e config.ExistingShare) (result, error) {
	found, err := p.efs.DescribeFileSystems(ctx, &efs.DescribeFileSystemsInput{FileSystemId: aws.String(path.Base(e.FileSystemARN))})
	if code(err) == "FileSystemNotFound" || err == nil && len(found.FileSystems) == 0 {
		return result{failed, "it does not exist in " + p.cluster.Region + " and the account " + p.account,
			"write fileSystem.existing.fileSystemArn of this region and account"}, nil
	}
	if err != nil {
		return result{}, err
	}
	f, zones := found.FileSystems[0], p.cluster.Network.Zones
	if is := aws.ToString(f.FileSystemArn); is != e.FileSystemARN {
		return result{failed, "its ARN is " + is, "write this as fileSystem.existing.fileSystemArn"}, nil
	}
	var wrong []string
	// CreateAccessPoint needs this (Amazon EFS API reference).
	if f.LifeCycleState != types.LifeCycleStateAvailable {
		wrong = append(wrong, fmt.Sprintf("it is %s, not available", f.LifeCycleState))
	}
	if !aws.ToBool(f.Encrypted) {
		wrong = append(wrong, "it is not encrypted at rest, which cannot be changed")
	}
	if zone := aws.ToString(f.AvailabilityZoneName); zone != "" && len(zones) > 1 {
		wrong = append(wrong, fmt.Sprintf("its data is in the zone %s only, and nodes are in %s", zone, strings.Join(zones, ", ")))
	}
	if len(wrong) > 0 {
		return result{failed, strings.Join(wrong, "; "), "make another file system: docs/operations.md, *An EFS file system that exists*"}, nil
	}
	return result{verdict: ok, found: "available, and encrypted at rest"}, nil
}

// checkMountTargets checks that nodes of each zone reach a mount target there.
func (p *preflight) checkMountTargets(ctx context.Context, e config.ExistingShare) (result, error) {
	found, err := p.efs.DescribeMountTargets(ctx, &efs.DescribeMountTargetsInput{FileSystemId: aws.String(path.Base(e.FileSystemARN))})
	if err != nil {
		return result{}, err
	}
	var wrong, open []string
	for _, zone := range p.cluster.Network.Zones {
		i := slices.IndexFunc(found.MountTargets, func(t types.MountTargetDescription) bool { return aws.ToString(t.AvailabilityZoneName) == zone })
		if i < 0 {
			wrong = append(wrong, "there is none in "+zone)
			continue
		}
		faults, unsure, err := p.unreachable(ctx, e, found.MountTargets[i], zone)
		if err != nil {
			return result{}, err
		}
		for _, text := range faults {
			wrong = append(wrong, aws.ToString(found.MountTargets[i].MountTargetId)+" in "+zone+" "+text)
		}
		if unsure {
			open = append(open, zone)
		}
	}
	switch {
	case len(wrong) > 0:
		return result{failed, strings.Join(wrong, "; "), "the file system's owner makes them: docs/operations.md, *An EFS file system that exists*"}, nil
	case len(open) > 0:
		return result{toKnow, "only a prefix list in their security groups may let nodes of " + strings.Join(open, ", ") + " in",
			"look whether it has the private subnets: `aws ec2 get-managed-prefix-list-entries`"}, nil
	}
	return result{verdict: ok, found: "one in each of " + strings.Join(p.cluster.Network.Zones, ", ")}, nil
}

// unreachable says why the nodes of a zone do not reach a mount target. Unsure says that a prefix list decides. The stack adds a rule to
// fileSystem.existing.securityGroup. With cidrs it opens the nodes' way out only.
func (p *preflight) unreachable(ctx context.Context, e config.ExistingShare, t types.MountTargetDescription, zone string) (faults []string, unsure bool, err error) {
	adopted := p.cluster.Network.Adopt
	if t.LifeCycleState != types.LifeCycleStateAvailable {
		faults = append(faults, fmt.Sprintf("is %s, not available", t.LifeCycleState))
	}
	if vpc := aws.ToString(t.VpcId); vpc != adopted.VPC {
		return append(faults, "is in "+vpc), false, nil
	}
	given, err := p.efs.DescribeMountTargetSecurityGroups(ctx, &efs.DescribeMountTargetSecurityGroupsInput{MountTargetId: t.MountTargetId})
	if err != nil {
		return nil, false, err
	}
	if e.SecurityGroup != "" {
		if !slices.Contains(given.SecurityGroups, e.SecurityGroup) {
			faults = append(faults, "lacks the security group "+e.SecurityGroup)
		}
		return faults, false, nil
	}
	if address := aws.ToString(t.IpAddress); !slices.ContainsFunc(e.CIDRs, func(cidr string) bool { return contains(cidr, address+"/32") }) {
		faults = append(faults, fmt.Sprintf("has the address %s, which is not in fileSystem.existing.cidrs", address))
	}
	groups, err := p.ec2.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{Filters: []ec2types.Filter{
		{Name: aws.String("group-id"), Values: given.SecurityGroups},
	}})
	if err != nil {
		return nil, false, err
	}
	subnet := adopted.PrivateSubnets[zone].CIDR
	for _, g := range groups.SecurityGroups {
		for _, rule := range g.IpPermissions {
			if !isNFS(rule) {
				continue
			}
			unsure = unsure || len(rule.PrefixListIds) > 0
			if slices.ContainsFunc(rule.IpRanges, func(r ec2types.IpRange) bool { return contains(aws.ToString(r.CidrIp), subnet) }) {
				return faults, false, nil
			}
		}
	}
	if unsure {
		return faults, true, nil
	}
	return append(faults, fmt.Sprintf("has no security group that lets %s in on port %d", subnet, ports.NFS)), false, nil
}

// isNFS reports whether a rule is about connections of NFS.
func isNFS(rule ec2types.IpPermission) bool {
	switch aws.ToString(rule.IpProtocol) {
	case "-1":
		return true
	case "tcp", "6":
		return aws.ToInt32(rule.FromPort) <= ports.NFS && ports.NFS <= aws.ToInt32(rule.ToPort)
	}
	return false
}

// contains reports whether a range of addresses has another one in it.
func contains(outer, inner string) bool {
	o, errOuter := netip.ParsePrefix(outer)
	i, errInner := netip.ParsePrefix(inner)
	return errOuter == nil && errInner == nil && o.Bits() <= i.Bits() && o.Contains(i.Addr())
}

// mounts are the actions of a node that mounts a file system and writes.
var mounts = []string{"elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"}

// checkFilePolicy checks that the policy of the file system denies nodes nothing. They mount over TLS, with their role, and through access
// points of the stack. A policy of the role that the stack makes allows it, which is enough ("Using IAM to control access to file systems" in
// the Amazon EFS user guide, also for the condition keys).
func (p *preflight) checkFilePolicy(ctx context.Context, e config.ExistingShare) (result, error) {
	found, err := p.efs.DescribeFileSystemPolicy(ctx, &efs.DescribeFileSystemPolicyInput{FileSystemId: aws.String(path.Base(e.FileSystemARN))})
	if code(err) == "PolicyNotFound" {
		return result{verdict: ok, found: "there is none, so EFS lets every client of its mount targets in"}, nil
	}
	if err != nil {
		return result{}, err
	}
	is, err := arn.Parse(e.FileSystemARN)
	if err != nil {
		return result{}, err // already validated
	}
	point := is
	point.Resource = "access-point/fsap-00000000000000000" // the stack makes it
	request := iam.Request{Resource: e.FileSystemARN, Context: iam.Context{
		"aws:SecureTransport": {"true"}, "elasticfilesystem:AccessedViaMountTarget": {"true"}, "elasticfilesystem:AccessPointArn": {point.String()},
	}}
	request.Principal.ARN = arn.ARN{Partition: is.Partition, Service: "iam", AccountID: is.AccountID, Resource: "role/" + p.cluster.Name()}.String()
	if a := p.cluster.EKS.Cluster; a != nil {
		request.Principal.ARN = a.FileSystemRole
	}
	policies := iam.Policies{Identity: []iam.Policy{{Statements: []iam.Statement{{Effect: "Allow", Action: mounts, Resource: iam.Values{"*"}}}}}}
	policy := iam.Parse("the policy", aws.ToString(found.Policy))
	policies.Resource = &policy
	var sure, unsure []string
	for _, request.Action = range mounts {
		switch d := request.Decide(policies); {
		case d.Allowed:
		case d.Unsure:
			unsure = append(unsure, request.Action+": "+d.Why)
		default:
			sure = append(sure, request.Action+": "+d.Why)
		}
	}
	const fix = "let its owner except the nodes, who mount over TLS, with their role, through access points of the stack"
	switch {
	case len(sure) > 0:
		return result{failed, strings.Join(sure, "; "), fix}, nil
	case p.cluster.EKS.Cluster != nil:
		if lacking, err := p.mayNot(ctx, request, policy); err != nil || len(lacking) > 0 {
			return result{failed, fmt.Sprintf("neither it nor a policy of %s allows %s", request.Principal.ARN, strings.Join(lacking, " and ")),
				"let the owner of eks.cluster.fileSystemRole allow it on the file system"}, err
		}
	}
	if len(unsure) > 0 {
		return result{toKnow, "a condition decides on " + strings.Join(unsure, "; "), fix}, nil
	}
	return result{verdict: ok, found: "it denies nodes nothing"}, nil
}

// mayNot lists the mounts that neither the file system's policy nor one of the role of an EKS cluster that exists allows.
func (p *preflight) mayNot(ctx context.Context, request iam.Request, policy iam.Policy) ([]string, error) {
	var lacking []string
	for _, request.Action = range mounts {
		if !request.Decide(iam.Policies{Resource: &policy}).Allowed {
			lacking = append(lacking, request.Action)
		}
	}
	if len(lacking) == 0 {
		return nil, nil
	}
	in := &awsiam.SimulatePrincipalPolicyInput{PolicySourceArn: aws.String(request.Principal.ARN), ActionNames: lacking, ResourceArns: []string{request.Resource}}
	for _, key := range sorted(request.Context) {
		kind := iamtypes.ContextKeyTypeEnumBoolean
		if key == "elasticfilesystem:AccessPointArn" {
			kind = iamtypes.ContextKeyTypeEnumString
		}
		in.ContextEntries = append(in.ContextEntries, iamtypes.ContextEntry{ContextKeyName: aws.String(key), ContextKeyType: kind, ContextKeyValues: request.Context[key]})
	}
	answer, err := p.iam.SimulatePrincipalPolicy(ctx, in)
	if code(err) == "NoSuchEntity" {
		return lacking, nil
	}
	if err != nil {
		return nil, err
	}
	for _, r := range answer.EvaluationResults {
		if r.EvalDecision == iamtypes.PolicyEvaluationDecisionTypeAllowed {
			lacking = without(lacking, []string{aws.ToString(r.EvalActionName)})
		}
	}
	return lacking, nil
}

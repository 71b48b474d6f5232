package proof

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// uncalled are services for which a role may have permissions although nothing in the VPC calls them.
var uncalled = map[string]string{
	// Secrets Manager and S3 call KMS for the reader of an encrypted value (KMS, "Using kms:ViaService").
	"kms": "the services that keep encrypted values call it themselves",
	// From 3.3.40.0 on the agent uses ssmmessages wherever that can be reached (Systems Manager, "Reference: ec2messages,
	// ssmmessages, and other API operations"); the images of nodes are newer.
	"ec2messages": "the Systems Manager agent uses ssmmessages",
	// Mounting is NFS to a mount target's DNS name. The mount helper calls the API only if that name does not resolve
	// (src/mount_efs/dns_resolver.py of efs-utils), and the EFS CSI driver only to make access points
	// (pkg/driver/controller.go).
	"elasticfilesystem": "files are mounted by a DNS name",
}

// unpermitted are services that are called without a permission of a role.
var unpermitted = map[platform][]string{
	// GetCallerIdentity of the CloudWatch agent needs no permission (extension/entitystore/extension.go of
	// aws/amazon-cloudwatch-agent).
	onPod: {"sts"},
}

// foreignNodes are the services that the nodes of an existing Kubernetes cluster call, which are in no state of this
// stack.
var foreignNodes = []string{"ecr.api", "ecr.dkr", "eks", "eks-auth"}

// costProof proves that the stack pays for nothing that its file does not ask for.
func (p *proofs) costProof() *Verdict {
	v := &Verdict{Claim: "Nothing costs money without a use: no extended support, no endpoint without a caller, no logs without an end"}
	for _, db := range p.Databases() {
		if !engineOf(db.Text("engine")).extended {
			continue
		}
		if support := db.Text("engineLifecycleSupport"); !p.want.DatabaseExtended && support != "open-source-rds-extended-support-disabled" {
			v.fault("%s is enrolled in RDS Extended Support, which is paid from the end of its engine's standard support on: "+
				"engineLifecycleSupport is %q", db, support)
		}
	}
	for _, cluster := range p.Of(state.EKSCluster) {
		if support := cluster.Object("upgradePolicy").Text("supportType"); !p.want.ClusterExtended && support != "STANDARD" {
			v.fault("%s slides into extended support, which costs six times as much: upgradePolicy.supportType is %q", cluster, support)
		}
	}
	called := slices.Clone(p.called)
	if len(p.Of(state.EKSCluster)) == 0 && slices.ContainsFunc(p.nodes, func(n *node) bool { return n.platform == onPod }) {
		called = append(called, foreignNodes...)
	}
	endpoints := 0
	for _, e := range p.Of(state.VPCEndpoint) {
		service := shortService(e.Text("serviceName"))
		if e.Text("vpcEndpointType") != "Interface" {
			continue
		}
		endpoints++
		if why := uncalled[service]; why != "" {
			v.fault("%s costs in every zone, and nothing in the VPC calls %s: %s", e, service, why)
		} else if !slices.Contains(called, service) {
			v.fault("%s costs in every zone, and nothing in the VPC calls %s", e, service)
		}
	}
	groups := p.Of(state.LogGroup)
	for _, db := range p.Databases() {
		for _, log := range db.Texts("enabledCloudwatchLogsExports") {
			name := logsOf(db) + log
			if !slices.ContainsFunc(groups, func(g *state.Resource) bool { return g.Text("name") == name }) {
				v.fault("RDS makes the log group %s of %s itself, keeps its logs for ever, and leaves it behind", name, db)
			}
		}
	}
	for _, g := range groups {
		if days, ok := g.Int("retentionInDays"); !ok || days == 0 {
			v.fault("%s keeps its logs for ever: it has no retentionInDays", g)
		}
	}
	v.Shown = strings.Join([]string{count(endpoints, "interface endpoint") + " with callers", count(len(groups), "log group") +
		" with an end", fmt.Sprintf("%s and %s in standard support", count(len(p.Databases()), "database"),
		count(len(p.Of(state.EKSCluster)), "Kubernetes cluster"))}, ", ")
	return v
}

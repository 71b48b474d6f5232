package network

import (
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
)

// policied are the services whose interface endpoints accept a policy, with their prefix in IAM. Source: the column
// "Supports VPC endpoint policies" of doc_source/integrated-services-vpce-list.md of
// github.com/awsdocs/amazon-vpc-user-guide, and for newer ones the services' own pages: "Amazon ECS interface VPC
// endpoints", "Access Amazon EKS using AWS PrivateLink", and vpc_endpoint_policies/ssm_endpoint_policy.json of
// github.com/aws-samples/data-perimeter-policy-examples. AWS refuses a policy for other services: SES has none, and no
// page documents one for ecs-agent, ecs-telemetry, eks-auth and wafv2.
var policied = map[string]string{
	"autoscaling": "autoscaling", "ec2": "ec2", "ecr.api": "ecr", "ecr.dkr": "ecr", "ecs": "ecs", "eks": "eks",
	"elasticloadbalancing": "elasticloadbalancing", "logs": "logs", "monitoring": "cloudwatch", "secretsmanager": "secretsmanager",
	"ssm": "ssm", "ssmmessages": "ssmmessages", "sts": "sts",
}

// interfacePolicy allows only this account's principals, so that foreign credentials reach nothing. The permissions of
// each role are in its own policy. It is nil for a service whose endpoint accepts none.
func interfacePolicy(scope awskit.Scope, service string) pulumi.StringPtrInput {
	prefix, takes := policied[service]
	if !takes {
		return nil
	}
	own := everybody(awskit.Allow("OwnAccount", []string{prefix + ":*"}, "*"))
	own.Condition = ownAccount(scope)
	return pulumi.String(awskit.NewPolicy(own).JSON())
}

// everybody extends a statement to every principal, with and without credentials.
func everybody(s awskit.Statement) awskit.Statement {
	s.Principal = map[string]any{"AWS": "*"}
	return s
}

func ownAccount(scope awskit.Scope) map[string]map[string]any {
	return map[string]map[string]any{"StringEquals": {"aws:PrincipalAccount": scope.Account}}
}

// S3Through is what requests may reach through the endpoint of S3.
type S3Through struct {
	// Objects are the ARNs that the stack's roles read.
	Objects []string
	// Signed are the ARNs of objects that are read by a signed URL, which may be another account's.
	Signed []string
	// Buckets are the names of buckets to which every request is allowed; * stands for all.
	Buckets []string
	// Images says that nodes pull images, whose layers are in a bucket of ECR.
	Images bool
	// Hosts says that there are instances: they fetch packages of Amazon Linux, and Systems Manager's agent its own
	// files.
	Hosts bool
}

// policy allows what the cluster fetches, and nothing of a bucket that somebody else could have made.
func (t S3Through) policy(scope awskit.Scope) awskit.Policy {
	if slices.Contains(t.Buckets, "*") {
		return awskit.NewPolicy(everybody(awskit.Allow("All", []string{"s3:*"}, "*")))
	}
	var statements []awskit.Statement
	if len(t.Objects) > 0 {
		own := everybody(awskit.Allow("ReadFiles", []string{"s3:GetObject"}, t.Objects...))
		own.Condition = ownAccount(scope)
		statements = append(statements, own)
	}
	// These requests are unsigned, or AWS signs them for somebody else: they have no principal of this account.
	read := slices.Clone(t.Signed)
	for _, bucket := range t.awsBuckets(scope.Region) {
		read = append(read, scope.GlobalARN("s3", "", bucket+"/*"))
	}
	if len(read) > 0 {
		statements = append(statements, everybody(awskit.Allow("ReadPublished", []string{"s3:GetObject"}, read...)))
	}
	if len(t.Buckets) > 0 {
		var arns []string
		for _, bucket := range t.Buckets {
			arns = append(arns, scope.GlobalARN("s3", "", bucket), scope.GlobalARN("s3", "", bucket+"/*"))
		}
		statements = append(statements, everybody(awskit.Allow("FurtherBuckets", []string{"s3:*"}, arns...)))
	}
	return awskit.NewPolicy(statements...)
}

// awsBuckets are AWS's buckets with files for nodes.
func (t S3Through) awsBuckets(region string) []string {
	var buckets []string
	if t.Images {
		// Amazon ECR user guide, "Amazon ECR interface VPC endpoints", minimum Amazon S3 bucket permissions.
		buckets = append(buckets, "prod-"+region+"-starport-layer-bucket")
	}
	if t.Hosts {
		buckets = append(buckets,
			// Amazon Linux 2023 user guide, "Managing packages and operating system updates".
			"al2023-repos-"+region+"-de612dc2",
			// Systems Manager user guide, "SSM Agent communications with AWS managed S3 buckets": the agent's updates,
			// the modules of its documents, and files of patches and the inventory. Everybody may read them.
			"amazon-ssm-"+region, "aws-ssm-"+region, "aws-ssm-document-attachments-"+region, "patch-baseline-snapshot-"+region,
			region+"-birdwatcher-prod",
		)
	}
	return buckets
}

package main

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/wso2is-aws/wso2is/config"
)

// serviceRole is a service-linked role: a service makes it at its first use in an account, for the caller.
type serviceRole struct{ name, service string }

// serviceRoles are the roles of the stack's services.
func (p *preflight) serviceRoles() []serviceRole {
	c := p.cluster
	all := []serviceRole{
		{"AWSServiceRoleForElasticLoadBalancing", "elasticloadbalancing.amazonaws.com"},
	}
	if c.Database.Existing == nil {
		all = append(all, serviceRole{"AWSServiceRoleForRDS", "rds.amazonaws.com"})
	}
	if c.FileSystem.Made() {
		all = append(all, serviceRole{"AWSServiceRoleForAmazonElasticFileSystem", "elasticfilesystem.amazonaws.com"})
	}
	if p.instanceType() != "" && !c.Fixed() {
		all = append(all, serviceRole{"AWSServiceRoleForAutoScaling", "autoscaling.amazonaws.com"})
	}
	if c.Clustering.Scheme == config.Multicast {
		all = append(all, serviceRole{"AWSServiceRoleForVPCTransitGateway", "transitgateway.amazonaws.com"})
	}
	if c.Tasks() {
		all = append(all, serviceRole{"AWSServiceRoleForECS", "ecs.amazonaws.com"})
		if c.Nodes.Autoscaling != nil {
			all = append(all, serviceRole{"AWSServiceRoleForApplicationAutoScaling_ECSService", "ecs.application-autoscaling.amazonaws.com"})
		}
	}
	if c.MakesControlPlane() {
		all = append(all, serviceRole{"AWSServiceRoleForAmazonEKS", "eks.amazonaws.com"},
			serviceRole{"AWSServiceRoleForAmazonEKSNodegroup", "eks-nodegroup.amazonaws.com"})
	}
	return all
}

// checkRole checks that the role exists, or that the caller may make it.
func (p *preflight) checkRole(ctx context.Context, r serviceRole) (result, error) {
	_, err := p.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String(r.name)})
	if err == nil {
		return result{verdict: ok, found: "there"}, nil
	}
	if code(err) != "NoSuchEntity" {
		return result{}, err
	}
	fix := "`aws iam create-service-linked-role --aws-service-name " + r.service + "`, with a principal that may"
	who, err := p.principal(ctx)
	if err != nil {
		return result{}, err
	}
	parsed, err := arn.Parse(p.caller)
	if err != nil {
		return result{}, err
	}
	made := arn.ARN{Partition: parsed.Partition, Service: "iam", AccountID: p.account,
		Resource: "role/aws-service-role/" + r.service + "/" + r.name}
	answer, err := p.iam.SimulatePrincipalPolicy(ctx, &iam.SimulatePrincipalPolicyInput{
		PolicySourceArn: aws.String(who), ActionNames: []string{"iam:CreateServiceLinkedRole"}, ResourceArns: []string{made.String()},
		ContextEntries: []types.ContextEntry{{ContextKeyName: aws.String("iam:AWSServiceName"),
			ContextKeyType: types.ContextKeyTypeEnumString, ContextKeyValues: []string{r.service}}},
	})
	if code(err) == "InvalidInput" { // the account's root user, or a federated one
		return result{notChecked, "does not exist yet, and IAM does not say what " + p.caller + " may do", fix}, nil
	}
	if err != nil {
		return result{}, err
	}
	for _, e := range answer.EvaluationResults {
		if e.EvalDecision != types.PolicyEvaluationDecisionTypeAllowed {
			return result{failed, "does not exist yet, and the caller may not create it (iam:CreateServiceLinkedRole)", fix}, nil
		}
	}
	return result{verdict: ok, found: "does not exist yet; AWS makes it at the first use, and the caller may cause this"}, nil
}

// principal is the user or role of the caller, whose policies apply. The ARN of a session has only the role's name.
func (p *preflight) principal(ctx context.Context) (string, error) {
	_, assumed, isRole := strings.Cut(p.caller, ":assumed-role/")
	if !isRole {
		return p.caller, nil
	}
	name, _, _ := strings.Cut(assumed, "/")
	role, err := p.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String(name)})
	if err != nil {
		return "", err
	}
	return aws.ToString(role.Role.Arn), nil
}

// checkBoundary checks that the policy of iam.permissionsBoundary exists.
func (p *preflight) checkBoundary(ctx context.Context) (result, error) {
	boundary := p.cluster.IAM.PermissionsBoundary
	_, err := p.iam.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: aws.String(boundary)})
	if code(err) == "NoSuchEntity" {
		return result{failed, boundary + " does not exist in the account " + p.account, "write the ARN of a policy of this account into iam.permissionsBoundary"}, nil
	}
	if err != nil {
		return result{}, err
	}
	return result{verdict: ok, found: boundary}, nil
}

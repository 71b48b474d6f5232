package awskit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/resourcegroupstaggingapi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// WarnOfDuplicates warns if the account has another resource of the kind (ec2:elastic-ip) with the same name tag, once
// the resource exists. It is for resources that cost money and have no unique name in AWS. If an update is interrupted
// between AWS's work and its answer, the next one makes a second resource, and nothing else would report it. Parent
// gives the provider. An account that may not list tags gets a note, and no error.
func WarnOfDuplicates(ctx *pulumi.Context, parent pulumi.Resource, kind, name string, arn pulumi.StringOutput) {
	arn.ApplyT(func(own string) (string, error) {
		return own, warnOfDoubles(ctx, parent, kind, name, own)
	})
}

func warnOfDoubles(ctx *pulumi.Context, parent pulumi.Resource, kind, name, own string) error {
	found, err := resourcegroupstaggingapi.GetResources(ctx, &resourcegroupstaggingapi.GetResourcesArgs{
		ResourceTypeFilters: []string{kind},
		TagFilters:          []resourcegroupstaggingapi.GetResourcesTagFilter{{Key: "Name", Values: []string{name}}},
	}, pulumi.Parent(parent))
	if err != nil {
		return ctx.Log.Info(fmt.Sprintf("whether there is a second %s named %s could not be seen (tag:GetResources): %s", kind, name, err),
			&pulumi.LogArgs{Resource: parent})
	}
	var others []string
	for _, r := range found.ResourceTagMappingLists {
		if r.ResourceArn != own {
			others = append(others, r.ResourceArn)
		}
	}
	if len(others) == 0 {
		return nil
	}
	slices.Sort(others)
	return ctx.Log.Warn(fmt.Sprintf("there is another %s named %s: %s. Where this update is not about to delete it, an interrupted one "+
		"left it, and it costs money: see docs/operations.md. A KMS key that waits for its deletion can be left alone; one that an "+
		"earlier stack left opens its snapshots", kind, name,
		strings.Join(others, ", ")), &pulumi.LogArgs{Resource: parent})
}

package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/instancetype"
)

// instanceType is the type of the stack's instances, or empty without instances.
func (p *preflight) instanceType() string {
	if p.cluster.Fargate() || p.cluster.EKS.Cluster != nil {
		return ""
	}
	return p.cluster.Nodes.InstanceType
}

// checkInstanceType checks that every zone offers the instance type.
func (p *preflight) checkInstanceType(ctx context.Context) (result, error) {
	var has []string
	pages := ec2.NewDescribeInstanceTypeOfferingsPaginator(p.ec2, &ec2.DescribeInstanceTypeOfferingsInput{
		LocationType: types.LocationTypeAvailabilityZone,
		Filters:      []types.Filter{{Name: aws.String("instance-type"), Values: []string{p.instanceType()}}},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return result{}, err
		}
		for _, offer := range page.InstanceTypeOfferings {
			has = append(has, aws.ToString(offer.Location))
		}
	}
	if lacking := without(p.cluster.Network.Zones, has); len(lacking) > 0 {
		return result{failed, "not offered in " + strings.Join(lacking, ", "),
			"write another nodes.instanceType, or network.zones of: " + strings.Join(slices.Sorted(slices.Values(has)), ", ")}, nil
	}
	return result{verdict: ok, found: "offered in every zone"}, nil
}

// without returns the items of a list that another one lacks.
func without(list, other []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return slices.Contains(other, s) })
}

// checkClass checks that RDS offers the database's class in as many zones as an instance uses.
func (p *preflight) checkClass(ctx context.Context, i config.DBInstance) (result, error) {
	database, needed := p.cluster.Database, 1
	if i.MultiAZ {
		needed = 2
	}
	zones := map[string]bool{}
	pages := rds.NewDescribeOrderableDBInstanceOptionsPaginator(p.rds, &rds.DescribeOrderableDBInstanceOptionsInput{
		Engine: aws.String(database.RDSEngine()), DBInstanceClass: aws.String(i.Class), Vpc: aws.Bool(true),
		LicenseModel: optional(database.License()),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return result{}, err
		}
		for _, offer := range page.OrderableDBInstanceOptions {
			version := aws.ToString(offer.EngineVersion)
			if version != database.Version && !strings.HasPrefix(version, database.Version+".") {
				continue
			}
			for _, z := range offer.AvailabilityZones {
				if slices.Contains(p.cluster.Network.Zones, aws.ToString(z.Name)) {
					zones[aws.ToString(z.Name)] = true
				}
			}
		}
	}
	what := fmt.Sprintf("%s %s", database.RDSEngine(), database.Version)
	if len(zones) < needed {
		return result{failed, fmt.Sprintf("RDS offers it for %s in %d of the stack's zones; %d needed", what, len(zones), needed),
			"write another class; `aws rds describe-orderable-db-instance-options` lists them"}, nil
	}
	return result{verdict: ok, found: "offered for " + what + " in " + strings.Join(sorted(zones), ", ")}, nil
}

// checkAMI checks that the image exists, fits the instance type, and that its Marketplace terms are accepted.
func (p *preflight) checkAMI(ctx context.Context) (result, error) {
	id := p.cluster.Nodes.AMI
	found, err := p.ec2.DescribeImages(ctx, &ec2.DescribeImagesInput{ImageIds: []string{id}})
	if name := code(err); strings.HasPrefix(name, "InvalidAMIID") || err == nil && len(found.Images) == 0 {
		return result{failed, "there is no such image in " + p.cluster.Region + ", or it is not shared with this account",
			"write another nodes.ami"}, nil
	}
	if err != nil {
		return result{}, err
	}
	image := found.Images[0]
	wanted := types.ArchitectureValuesX8664
	if t, known := instancetype.Lookup(p.cluster.Nodes.InstanceType); known && t.ARM {
		wanted = types.ArchitectureValuesArm64
	}
	switch {
	case image.State != types.ImageStateAvailable:
		return result{failed, "it is " + string(image.State), "write another nodes.ami"}, nil
	case image.Architecture != wanted:
		return result{failed, fmt.Sprintf("it is for %s, and %s is %s", image.Architecture, p.cluster.Nodes.InstanceType, wanted),
			"write another nodes.ami or nodes.instanceType"}, nil
	}
	if !slices.ContainsFunc(image.ProductCodes, func(c types.ProductCode) bool {
		return c.ProductCodeType == types.ProductCodeValuesMarketplace
	}) {
		return result{verdict: ok, found: "available, and not from the Marketplace"}, nil
	}
	return p.checkTerms(ctx, id)
}

// checkTerms uses a dry run, which starts nothing, to check whether the terms of a Marketplace image are accepted.
func (p *preflight) checkTerms(ctx context.Context, image string) (result, error) {
	_, err := p.ec2.RunInstances(ctx, &ec2.RunInstancesInput{
		DryRun: aws.Bool(true), ImageId: aws.String(image), InstanceType: types.InstanceType(p.cluster.Nodes.InstanceType),
		MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
	})
	switch code(err) {
	case "DryRunOperation":
		return result{verdict: ok, found: "available, and its terms in the Marketplace are accepted"}, nil
	case "OptInRequired":
		return result{failed, "its terms in the Marketplace are not accepted", "subscribe to it there with this account: " + err.Error()}, nil
	case "VPCIdNotSpecified", "MissingInput":
		return result{notChecked, "without a default VPC a dry run says nothing of the Marketplace's terms",
			"check whether this account is subscribed to it"}, nil
	}
	return result{}, err
}

// checkSubnets compares the stack file's description of an existing VPC with the VPC.
func (p *preflight) checkSubnets(ctx context.Context) (result, error) {
	adopted := p.cluster.Network.Adopt
	type said struct{ zone, cidr string }
	wanted := map[string]said{}
	for _, subnets := range []map[string]config.Subnet{adopted.PrivateSubnets, adopted.PublicSubnets} {
		for zone, s := range subnets {
			wanted[s.ID] = said{zone, s.CIDR}
		}
	}
	found, err := p.ec2.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{Filters: []types.Filter{
		{Name: aws.String("subnet-id"), Values: sorted(wanted)},
	}})
	if err != nil {
		return result{}, err
	}
	there := map[string]types.Subnet{}
	for _, s := range found.Subnets {
		there[aws.ToString(s.SubnetId)] = s
	}
	var wrong []string
	for _, id := range sorted(wanted) {
		s, exists := there[id]
		is := said{aws.ToString(s.AvailabilityZone), aws.ToString(s.CidrBlock)}
		switch {
		case !exists:
			wrong = append(wrong, id+" does not exist")
		case aws.ToString(s.VpcId) != adopted.VPC:
			wrong = append(wrong, id+" is in "+aws.ToString(s.VpcId))
		case is != wanted[id]:
			wrong = append(wrong, fmt.Sprintf("%s is %s in %s", id, is.cidr, is.zone))
		}
	}
	if len(wrong) > 0 {
		return result{failed, strings.Join(wrong, "; "), "change network.adopt to fit the VPC"}, nil
	}
	return result{verdict: ok, found: fmt.Sprintf("%d, as in the stack file", len(wanted))}, nil
}

// checkOfGroup returns the check of an existing host's security group.
func (p *preflight) checkOfGroup(path, host, id string) check {
	return check{"security group of " + host, []string{"ec2:DescribeSecurityGroups"},
		func(ctx context.Context) (result, error) { return p.checkGroup(ctx, path, id) }}
}

// checkGroup checks that the security group of an existing host is in the nodes' VPC, since the stack adds a rule to it. Path is the
// host's key.
func (p *preflight) checkGroup(ctx context.Context, path, id string) (result, error) {
	vpc := p.cluster.Network.Adopt.VPC
	found, err := p.ec2.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{Filters: []types.Filter{
		{Name: aws.String("group-id"), Values: []string{id}},
	}})
	if err != nil {
		return result{}, err
	}
	switch {
	case len(found.SecurityGroups) == 0:
		return result{failed, id + " does not exist", "write the group of the host as " + path + ".securityGroup"}, nil
	case aws.ToString(found.SecurityGroups[0].VpcId) != vpc:
		return result{failed, id + " is in " + aws.ToString(found.SecurityGroups[0].VpcId),
			"write " + path + ".cidrs, which need no group in " + vpc}, nil
	}
	return result{verdict: ok, found: id + " in " + vpc}, nil
}

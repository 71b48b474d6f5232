package main

import (
	"context"
	"fmt"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"

	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/instancetype"
)

// quota is a limit of the account.
type quota struct {
	name, service, code string
	// actions are the caller's permissions that used needs.
	actions []string
	// needed is the number that the stack makes. used is the number that exists; nil if it is not counted.
	needed int
	used   func(context.Context) (int, error)
}

// standard are the families A, C, D, H, I, M, R, T and Z, which share the quota of On-Demand Standard instances.
// Source: https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-quotas.html
var standard = regexp.MustCompile(`^(?:[acdhimrtz]|im|is)\d`)

// limits are the quotas that are low in new accounts.
// Source of the codes: `aws service-quotas list-service-quotas`.
func (p *preflight) limits() []quota {
	c := p.cluster
	var all []quota
	if kind := p.instanceType(); standard.MatchString(kind) {
		t, _ := instancetype.Lookup(kind) // already validated
		all = append(all, quota{"quota of vCPUs of On-Demand Standard instances", "ec2", "L-1216C47A",
			[]string{"ec2:DescribeInstances"}, p.instances() * t.VCPU, p.usedVCPUs})
	}
	if c.Fargate() {
		// A deployment starts a task before it stops another.
		all = append(all, quota{"quota of vCPUs on Fargate", "fargate", "L-3032A538", nil, (c.MaxNodes() + 1) * c.Nodes.CPU, nil})
	}
	if c.Network.Adopt == nil {
		all = append(all, quota{"quota of VPCs", "vpc", "L-F678F1CE", []string{"ec2:DescribeVpcs"}, 1, p.usedVPCs})
		if addresses := p.addresses(); addresses > 0 {
			all = append(all, quota{"quota of Elastic IP addresses", "ec2", "L-0263D0A3", []string{"ec2:DescribeAddresses"}, addresses,
				p.usedAddresses})
		}
	}
	if c.Database.Existing != nil {
		return all
	}
	return append(all, quota{"quota of RDS instances", "rds", "L-7B6409FD", []string{"rds:DescribeDBInstances"},
		p.databaseInstances(), p.usedDatabases})
}

// databaseInstances is the number of the stack's RDS instances. Those of Aurora clusters count too.
func (p *preflight) databaseInstances() int {
	database := p.cluster.Database
	count := len(database.Instances)
	for _, i := range database.Instances {
		if database.Type == config.Aurora && i.MultiAZ {
			count++
		}
	}
	return count
}

func (p *preflight) quotaChecks() []check {
	limits := p.limits()
	checks := make([]check, len(limits))
	for i, q := range limits {
		checks[i] = check{q.name, append([]string{"servicequotas:GetServiceQuota", "servicequotas:GetAWSDefaultServiceQuota"},
			q.actions...), func(ctx context.Context) (result, error) { return p.checkQuota(ctx, q) }}
	}
	return checks
}

// instances is the largest number of the stack's instances: all nodes, and those that exist while others are replaced.
func (p *preflight) instances() int {
	c := p.cluster
	switch {
	case c.MakesControlPlane():
		// An update of a managed node group starts a node in each zone before it terminates one.
		return c.EKS.NodeGroup.Max + len(c.Network.Zones)
	case c.Fixed():
		return c.MaxNodes()
	}
	return c.MaxNodes() + 1
}

// addresses is the number of NAT gateways' addresses.
func (p *preflight) addresses() int {
	switch p.cluster.Network.NAT {
	case config.NATSingle:
		return 1
	case config.NATPerZone:
		return len(p.cluster.Network.Zones)
	default: // none
		return 0
	}
}

// checkQuota checks that the stack fits. For a stack that exists already, its own resources count as used.
func (p *preflight) checkQuota(ctx context.Context, q quota) (result, error) {
	limit, err := p.limit(ctx, q)
	if err != nil {
		return result{}, err
	}
	found, fits := fmt.Sprintf("%d, and the stack needs %d", limit, q.needed), q.needed <= limit
	if q.used != nil {
		used, err := q.used(ctx)
		if err != nil {
			return result{}, err
		}
		found, fits = fmt.Sprintf("%d, of which %d are in use, and the stack needs %d", limit, used, q.needed), used+q.needed <= limit
	}
	if !fits {
		return result{failed, found, fmt.Sprintf("`aws service-quotas request-service-quota-increase --service-code %s --quota-code %s "+
			"--desired-value …`, and wait for it", q.service, q.code)}, nil
	}
	return result{verdict: ok, found: found}, nil
}

// limit is the account's quota, or AWS's default if it was never changed.
func (p *preflight) limit(ctx context.Context, q quota) (int, error) {
	own, err := p.quotas.GetServiceQuota(ctx, &servicequotas.GetServiceQuotaInput{
		ServiceCode: aws.String(q.service), QuotaCode: aws.String(q.code),
	})
	if err == nil {
		return int(aws.ToFloat64(own.Quota.Value)), nil
	}
	if code(err) != "NoSuchResourceException" {
		return 0, err
	}
	usual, err := p.quotas.GetAWSDefaultServiceQuota(ctx, &servicequotas.GetAWSDefaultServiceQuotaInput{
		ServiceCode: aws.String(q.service), QuotaCode: aws.String(q.code),
	})
	if err != nil {
		return 0, err
	}
	return int(aws.ToFloat64(usual.Quota.Value)), nil
}

func (p *preflight) usedVCPUs(ctx context.Context) (int, error) {
	count := 0
	pages := ec2.NewDescribeInstancesPaginator(p.ec2, &ec2.DescribeInstancesInput{Filters: []types.Filter{
		{Name: aws.String("instance-state-name"), Values: []string{"pending", "running"}},
	}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return 0, err
		}
		for _, r := range page.Reservations {
			for _, i := range r.Instances {
				if i.CpuOptions != nil && i.InstanceLifecycle == "" && standard.MatchString(string(i.InstanceType)) {
					count += int(aws.ToInt32(i.CpuOptions.CoreCount) * aws.ToInt32(i.CpuOptions.ThreadsPerCore))
				}
			}
		}
	}
	return count, nil
}

func (p *preflight) usedVPCs(ctx context.Context) (int, error) {
	count := 0
	pages := ec2.NewDescribeVpcsPaginator(p.ec2, &ec2.DescribeVpcsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return 0, err
		}
		count += len(page.Vpcs)
	}
	return count, nil
}

func (p *preflight) usedAddresses(ctx context.Context) (int, error) {
	found, err := p.ec2.DescribeAddresses(ctx, &ec2.DescribeAddressesInput{})
	if err != nil {
		return 0, err
	}
	return len(found.Addresses), nil
}

func (p *preflight) usedDatabases(ctx context.Context) (int, error) {
	count := 0
	pages := rds.NewDescribeDBInstancesPaginator(p.rds, &rds.DescribeDBInstancesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return 0, err
		}
		count += len(page.DBInstances)
	}
	return count, nil
}

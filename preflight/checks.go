package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/backup"

	"github.com/wso2is-aws/wso2is/config"
)

// checks are the checks that the stack needs: resources that it does not make are not checked.
func (p *preflight) checks() []check {
	c := p.cluster
	all := []check{
		{"account", nil, p.checkAccount},
		{"zones", []string{"ec2:DescribeAvailabilityZones"}, p.checkZones},
	}
	if c.Network.Adopt != nil {
		all = append(all, check{"subnets of " + c.Network.Adopt.VPC, []string{"ec2:DescribeSubnets"}, p.checkSubnets})
	}
	if e := c.Database.Existing; e != nil && e.SecurityGroup != "" {
		all = append(all, p.checkOfGroup("database.existing", e.Host, e.SecurityGroup))
	}
	if e := c.FileSystem.Existing; e != nil && e.SecurityGroup != "" {
		all = append(all, p.checkOfGroup("fileSystem.existing", cmp.Or(e.Host, e.FileSystemARN), e.SecurityGroup))
	}
	if e := c.FileSystem.Existing; e != nil && e.FileSystemARN != "" {
		all = append(all, p.filesOf(*e)...)
	}
	if kind := p.instanceType(); kind != "" {
		all = append(all, check{"instance type " + kind, []string{"ec2:DescribeInstanceTypeOfferings"}, p.checkInstanceType})
	}
	if c.Nodes.AMI != "" {
		all = append(all, check{"image " + c.Nodes.AMI, []string{"ec2:DescribeImages", "ec2:RunInstances"}, p.checkAMI})
	}
	for _, name := range sorted(c.Database.Instances) {
		i := c.Database.Instances[name]
		all = append(all, check{"database class " + i.Class, []string{"rds:DescribeOrderableDBInstanceOptions"},
			func(ctx context.Context) (result, error) { return p.checkClass(ctx, i) }})
	}
	if c.Backup.Enabled && c.Database.Existing == nil && c.Database.Type == config.Aurora {
		all = append(all, check{"backups of Aurora", []string{"backup:DescribeRegionSettings"}, p.checkOptIn})
	}
	if c.Database.Existing == nil && c.Database.License() == "bring-your-own-license" {
		all = append(all, check{"database licence", nil, p.checkLicense})
	}
	all = append(all, p.quotaChecks()...)
	for _, r := range p.serviceRoles() {
		all = append(all, check{"role " + r.name, []string{"iam:GetRole", "iam:SimulatePrincipalPolicy"},
			func(ctx context.Context) (result, error) { return p.checkRole(ctx, r) }})
	}
	if c.IAM.PermissionsBoundary != "" {
		all = append(all, check{"permissions boundary", []string{"iam:GetPolicy"}, p.checkBoundary})
	}
	for _, a := range p.artifacts() {
		all = append(all, check{"file " + a.Source, []string{"s3:GetObject", "s3:ListBucket"},
			func(ctx context.Context) (result, error) { return p.checkArtifact(ctx, a) }})
	}
	for _, image := range p.images() {
		all = append(all, check{"image " + image, []string{"ecr:DescribeImages"},
			func(ctx context.Context) (result, error) { return p.checkImage(ctx, image) }})
	}
	if c.LoadBalancer.CertificateARN != "" {
		all = append(all, check{"certificate", []string{"acm:DescribeCertificate"}, p.checkCertificate})
	}
	if c.LoadBalancer.HostedZone != "" {
		all = append(all, check{"hosted zone " + c.LoadBalancer.HostedZone, []string{"route53:GetHostedZone"}, p.checkHostedZone})
	}
	if c.CallsCLI() {
		all = append(all, check{"AWS CLI", nil, p.checkCLI})
	}
	return all
}

// checkAccount names the account, and checks that the stack file allows it.
func (p *preflight) checkAccount(context.Context) (result, error) {
	found := p.account + ", asked as " + p.caller
	allowed, forbidden := p.cluster.Provider.AllowedAccountIds, p.cluster.Provider.ForbiddenAccountIds
	if len(allowed) > 0 && !slices.Contains(allowed, p.account) || slices.Contains(forbidden, p.account) {
		return result{failed, found + ", which the stack file does not allow",
			"use credentials of an account that aws:allowedAccountIds has and aws:forbiddenAccountIds has not"}, nil
	}
	return result{verdict: ok, found: found}, nil
}

// checkZones checks that every zone of the stack exists. Loading has checked that the zones suit the topology.
func (p *preflight) checkZones(ctx context.Context) (result, error) {
	zones, err := p.listZones(ctx)
	if err != nil {
		return result{}, err
	}
	var missing, there []string
	for _, name := range p.cluster.Network.Zones {
		if i := slices.IndexFunc(zones, func(z config.Zone) bool { return z.Name == name }); i >= 0 {
			there = append(there, name+" ("+zones[i].ID+")")
		} else {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return result{failed, strings.Join(missing, ", ") + " not available in this account", "write network.zones of: " +
			names(zones)}, nil
	}
	return result{verdict: ok, found: strings.Join(there, ", ")}, nil
}

func names(zones []config.Zone) string {
	all := make([]string, len(zones))
	for i, z := range zones {
		all[i] = z.Name
	}
	return strings.Join(all, ", ")
}

// checkCLI looks for the program that gets the Kubernetes provider's token.
func (p *preflight) checkCLI(context.Context) (result, error) {
	if err := p.LookPath("aws"); err != nil {
		return result{failed, "aws is not on PATH, and the Kubernetes provider asks it for a token", "install the AWS CLI"}, nil
	}
	return result{verdict: ok, found: "on PATH, for the token of the Kubernetes API"}, nil
}

// checkOptIn checks that AWS Backup backs Aurora up in the region. A plan that names another resource includes it without that; one that
// names a cluster of Aurora does not, and no job fails ("AWS Backup service opt-in" in the AWS Backup developer guide).
func (p *preflight) checkOptIn(ctx context.Context) (result, error) {
	const aurora = "Aurora"
	found, err := p.backup.DescribeRegionSettings(ctx, &backup.DescribeRegionSettingsInput{})
	if err != nil {
		return result{}, err
	}
	if !found.ResourceTypeOptInPreference[aurora] {
		return result{failed, "AWS Backup makes none in " + p.cluster.Region + ": the account has not opted in to " + aurora,
			"opt in: `aws backup update-region-settings --resource-type-opt-in-preference " + aurora + "=true`"}, nil
	}
	return result{verdict: ok, found: "the account has opted in to " + aurora}, nil
}

// checkLicense reports a license that no AWS call can check.
func (p *preflight) checkLicense(context.Context) (result, error) {
	return result{toKnow, fmt.Sprintf("%s comes without a licence (bring-your-own-license), and RDS does not ask for it",
		p.cluster.Database.RDSEngine()), "have Oracle licences for " + strings.Join(p.classes(), ", ")}, nil
}

// classes are the database's instance classes.
func (p *preflight) classes() []string {
	var all []string
	for _, name := range sorted(p.cluster.Database.Instances) {
		all = append(all, p.cluster.Database.Instances[name].Class)
	}
	return all
}

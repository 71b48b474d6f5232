package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
	"github.com/aws/aws-sdk-go-v2/service/route53"
)

// soon is the time before its end at which a certificate that ACM does not renew should be replaced.
const soon = 30 * 24 * time.Hour

// checkCertificate checks that the listener's certificate is issued, covers the hostname, and does not end soon.
func (p *preflight) checkCertificate(ctx context.Context) (result, error) {
	found, err := p.acm.DescribeCertificate(ctx, &acm.DescribeCertificateInput{
		CertificateArn: aws.String(p.cluster.LoadBalancer.CertificateARN),
	})
	if code(err) == "ResourceNotFoundException" {
		return result{failed, "there is no " + p.cluster.LoadBalancer.CertificateARN, "write loadBalancer.certificateArn of this account"}, nil
	}
	if err != nil {
		return result{}, err
	}
	c := found.Certificate
	names := append([]string{aws.ToString(c.DomainName)}, c.SubjectAlternativeNames...)
	ends := aws.ToTime(c.NotAfter)
	switch {
	case c.Status != acmtypes.CertificateStatusIssued:
		return result{failed, fmt.Sprintf("it is %s, not ISSUED", c.Status), "make its validation records: `aws acm describe-certificate`"}, nil
	case !slices.ContainsFunc(names, func(name string) bool { return covers(name, p.cluster.Hostname) }):
		return result{failed, fmt.Sprintf("it is for %s, not for %s", strings.Join(slices.Compact(names), ", "), p.cluster.Hostname),
			"write another certificate, or another hostname"}, nil
	case c.Type == acmtypes.CertificateTypeImported && time.Until(ends) < soon:
		return result{failed, fmt.Sprintf("it was imported and ends on %s; ACM does not renew it", ends.Format(time.DateOnly)),
			"import its successor"}, nil
	}
	return result{verdict: ok, found: fmt.Sprintf("issued for %s, until %s", p.cluster.Hostname, ends.Format(time.DateOnly))}, nil
}

// covers reports whether a certificate's name covers the host. A wildcard stands for one label.
func covers(name, host string) bool {
	_, parent, _ := strings.Cut(host, ".")
	return strings.EqualFold(name, host) || strings.EqualFold(name, "*."+parent)
}

// checkHostedZone checks that the zone contains the hostname, and that the internet's DNS delegates to it. Otherwise
// the load balancer's name does not resolve, and no certificate is validated.
func (p *preflight) checkHostedZone(ctx context.Context) (result, error) {
	found, err := p.dns.GetHostedZone(ctx, &route53.GetHostedZoneInput{Id: aws.String(p.cluster.LoadBalancer.HostedZone)})
	if code(err) == "NoSuchHostedZone" {
		return result{failed, "there is no such hosted zone", "write loadBalancer.hostedZone of this account"}, nil
	}
	if err != nil {
		return result{}, err
	}
	name := strings.TrimSuffix(aws.ToString(found.HostedZone.Name), ".")
	if host := p.cluster.Hostname; host != name && !strings.HasSuffix(host, "."+name) {
		return result{failed, fmt.Sprintf("it is of %s, and %s is not in it", name, host), "write the zone of the hostname's domain"}, nil
	}
	if found.HostedZone.Config != nil && found.HostedZone.Config.PrivateZone {
		if p.cluster.LoadBalancer.CertificateARN == "" && !p.cluster.Nginx() { // whose certificate is in a secret
			return result{failed, name + " is a private zone, in which ACM validates no certificate", "write loadBalancer.certificateArn"}, nil
		}
		return result{verdict: ok, found: name + ", a private zone"}, nil
	}
	if found.DelegationSet == nil {
		return result{notChecked, name + " says nothing of its name servers", "compare them with those of the parent domain"}, nil
	}
	own := found.DelegationSet.NameServers
	public, err := p.NameServers(ctx, name)
	if err != nil || len(without(own, public)) == len(own) {
		state := "the DNS names " + strings.Join(public, ", ")
		if err != nil {
			state = "the DNS of this machine finds no name servers: " + err.Error()
		}
		return result{failed, fmt.Sprintf("%s is not delegated to it: %s", name, state),
			"write these NS records into the parent domain: " + strings.Join(own, ", ")}, nil
	}
	return result{verdict: ok, found: name + ", delegated"}, nil
}

package config

import (
	"regexp"
)

var (
	zoneID    = regexp.MustCompile(`^Z[A-Z0-9]{4,31}$`)
	tlsPolicy = regexp.MustCompile(`^ELBSecurityPolicy-[A-Za-z0-9-]+$`)
)

func (v *validator) loadBalancer() {
	lb := v.LoadBalancer
	if lb.CertificateARN == "" && lb.HostedZone == "" {
		v.refuse("loadBalancer", "write certificateArn, or hostedZone to have a certificate made and validated",
			"there is no certificate for HTTPS")
	}
	if lb.CertificateARN != "" {
		v.arn("loadBalancer.certificateArn", lb.CertificateARN, "acm", "certificate/")
	}
	if lb.HostedZone != "" && !zoneID.MatchString(lb.HostedZone) {
		v.refuse("loadBalancer.hostedZone", "write the zone's id, such as Z0123456789ABC",
			"%q is not the id of a hosted zone",
			lb.HostedZone)
	}
	if lb.WebACLARN != "" {
		v.arn("loadBalancer.webAclArn", lb.WebACLARN, "wafv2", "regional/webacl/")
	}
	if written := v.written.LoadBalancer.AllowedCIDRs; written != nil && len(written) == 0 {
		v.refuse("loadBalancer.allowedCidrs", "write the ranges of clients, or leave it out for everyone",
			"an empty list allows no client")
	}
	v.cidrs("loadBalancer.allowedCidrs", lb.AllowedCIDRs)
	if !tlsPolicy.MatchString(lb.TLSPolicy) {
		v.refuse("loadBalancer.tlsPolicy", "write a policy such as ELBSecurityPolicy-TLS13-1-2-2021-06",
			"%q is no security policy of a load balancer", lb.TLSPolicy)
	}
}

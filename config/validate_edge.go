package config

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

var (
	sha256Hex  = regexp.MustCompile(`^[0-9a-f]{64}$`)
	s3URI      = regexp.MustCompile(`^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[A-Za-z0-9!_.*()/+=@,:-]+$`)
	urlText    = regexp.MustCompile(`^[A-Za-z0-9_.~/:?=&%+@,\[\]-]+$`)
	zoneID     = regexp.MustCompile(`^Z[A-Z0-9]{4,31}$`)
	jvmOption  = regexp.MustCompile(`^-[A-Za-z][A-Za-z0-9_.,:=/+@%~-]*$`)
	tlsPolicy  = regexp.MustCompile(`^ELBSecurityPolicy-[A-Za-z0-9-]+$`)
	heapOption = regexp.MustCompile(`^-Xm[sx]|^-XX:(Initial|Min|Max)(RAMPercentage|HeapSize)`)
)

// retentionSteps are the days that CloudWatch Logs takes.
var retentionSteps = []int{
	1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
}

func (v *validator) fileSystem() {
	f := v.FileSystem
	switch {
	case f.ThroughputMode == Provisioned && f.ProvisionedThroughput == 0:
		v.refuse("fileSystem.provisionedThroughput", "write 1 to 3414", "the mode provisioned needs a throughput")
	case f.ThroughputMode != Provisioned && f.ProvisionedThroughput != 0:
		v.refuse("fileSystem.provisionedThroughput", "leave it out, or write fileSystem.throughputMode: provisioned",
			"the mode %s does not read it", f.ThroughputMode)
	}
}

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
		v.refuse("loadBalancer.allowedCidrs", "write the ranges that may call, or leave it out for everyone",
			"an empty list lets nobody in")
	}
	v.cidrs("loadBalancer.allowedCidrs", lb.AllowedCIDRs)
	if !tlsPolicy.MatchString(lb.TLSPolicy) {
		v.refuse("loadBalancer.tlsPolicy", "write a policy such as ELBSecurityPolicy-TLS13-1-2-2021-06",
			"%q is no security policy of a load balancer", lb.TLSPolicy)
	}
}

func (v *validator) product() {
	v.artifact("product.archive", v.Product.Archive)
	v.artifact("product.driver", v.Product.Driver)
	for i, option := range v.JVM.Options {
		path := fmt.Sprintf("jvm.options[%d]", i)
		switch {
		case !jvmOption.MatchString(option):
			v.refuse(path, "write one option, without blanks and quotes, such as -Duser.timezone=UTC", "%q is no JVM option",
				option)
		case heapOption.MatchString(option):
			v.refuse(path, "write jvm.heap", "%s sizes the heap, which has a key of its own", option)
		case proxyProperty.MatchString(option):
			v.refuse(path, "write network.proxy", "%s names a proxy, to which nodes are let through by a key of its own", option)
		}
	}
}

// artifact checks where a file is fetched from.
func (v *validator) artifact(path string, a Artifact) {
	const checksum = "write what `sha256sum` prints for the file"
	if a.SHA256 != "" && !sha256Hex.MatchString(a.SHA256) {
		v.refuse(path+".sha256", checksum, "%q is not a SHA-256", a.SHA256)
	}
	if a.Source == "" {
		if a.SHA256 != "" && strings.HasPrefix(path, "database.") {
			v.refuse(path+".source", "write where the file is", "there is a checksum and no file")
		}
		return
	}
	if s3URI.MatchString(a.Source) {
		return
	}
	u, err := url.Parse(a.Source)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || !urlText.MatchString(a.Source) {
		v.refuse(path+".source", "write s3://bucket/key, or an https URL", "%q is no place that nodes fetch from", a.Source)
		return
	}
	if !v.Network.CallsHTTPS() {
		v.refuse(path+".source", "write s3://bucket/key, or the server's addresses as network.egressCidrs",
			"nodes are not let out to %s", u.Host)
	}
	if a.SHA256 == "" && v.Profile == Prod {
		v.refuse(path+".sha256", checksum, "a file from another server needs a checksum")
	}
}

func (v *validator) observability() {
	o := v.Observability
	if !slices.Contains(retentionSteps, o.LogRetention) {
		v.refuse("observability.logRetention", "write one of "+strings.Trim(fmt.Sprint(retentionSteps), "[]"),
			"CloudWatch keeps logs in steps, and %d days is none", o.LogRetention)
	}
	if o.AlarmTopicARN != "" {
		v.arn("observability.alarmTopicArn", o.AlarmTopicARN, "sns", "")
	}
	switch days := *o.MaxImageAgeDays; {
	case days == 0:
	case !v.hasInstances():
		v.refuse("observability.maxImageAgeDays", "leave it out", "AWS chooses the images that nodes of this topology run on, "+
			"and nothing measures their age")
	case days < leastImageAgeDays:
		v.refuse("observability.maxImageAgeDays", fmt.Sprintf("write %d or more, or 0 for no alarm", leastImageAgeDays),
			"the newest image may be %d days old", days)
	}
}

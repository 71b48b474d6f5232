package cloud

import (
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

const (
	domainName = `(?:\*\.)?(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}`
)

// acmTypes are certificates.
var acmTypes = []Type{
	{
		Token: state.Certificate, ID: "{arn}", ARN: "arn:{partition}:acm:{region}:{account}:certificate/{uuid}", Tags: true,
		InUse:      "ResourceInUseException",
		ExactlyOne: [][]string{{"domainName", "privateKey"}},
		Outputs:    Object{"status": "PENDING_VALIDATION", "keyAlgorithm": "RSA_2048", "renewalEligibility": "INELIGIBLE"},
		Replace: []string{"certificateAuthorityArn", "domainName", "keyAlgorithm", "subjectAlternativeNames",
			"validationMethod",
			"validationOptions"},
		Fields: []Field{
			like("domainName", domainName, "a domain name", 1, 64), like("subjectAlternativeNames[]", domainName,
				"a domain name", 1, 253),
			oneOf("validationMethod", "DNS", "EMAIL", "NONE"),
		},
		After: func(c *Call) {
			if c.Old != nil {
				c.Out["arn"] = c.Old.Outputs["arn"]
			}
			c.identify()
			if c.Old != nil || c.unknown("domainName", "subjectAlternativeNames") {
				return
			}
			names := slices.Concat([]string{c.text("domainName")}, texts(c.In, "subjectAlternativeNames[]"))
			var options []any
			for _, name := range names {
				// The record depends on the name and the account alone, so every certificate of a name has the same
				// record.
				bare := strings.TrimPrefix(name, "*.")
				seed := c.Cloud.account + bare
				options = append(options, Object{
					"domainName": name, "resourceRecordType": "CNAME",
					"resourceRecordName":  "_" + identifier(seed, "name") + "." + bare + ".",
					"resourceRecordValue": "_" + identifier(seed, "value") + ".acm-validations.aws.",
				})
			}
			c.Out["domainValidationOptions"] = options
			if c.Preview {
				c.Out["domainValidationOptions"] = Unknown{}
			}
		},
	},
	{
		Token: state.CertificateValidation, Put: true, ID: "{uuid}",
		Required: []string{"certificateArn"},
		Replace:  []string{"certificateArn", "validationRecordFqdns"},
		Refs:     []Ref{ref("certificateArn", state.Certificate).by("arn").free().code("ResourceNotFoundException")},
		Rules:    []Rule{validationRecords},
	},
}

// validationRecords refuses to wait for a certificate without validation records: AWS would wait until the time-out.
func validationRecords(c *Call) error {
	certificate := c.Cloud.find(c.text("certificateArn"), "arn", state.Certificate)
	if certificate == nil || certificate.Existing || c.Preview {
		return nil
	}
	for _, option := range objects(certificate.Outputs, "domainValidationOptions[]") {
		if c.Cloud.record(text(option, "resourceRecordName"), text(option, "resourceRecordType")) == nil {
			return fail("TimedOut", "%s stays unvalidated: there is no record %s of type %s", certificate.describe(),
				text(option, "resourceRecordName"), text(option, "resourceRecordType"))
		}
	}
	return nil
}

func (c *Cloud) record(name, kindOf string) *Resource {
	for _, r := range c.all(state.DNSRecord) {
		if strings.TrimSuffix(text(r.Outputs, "fqdn"), ".") == strings.TrimSuffix(name, ".") && text(r.Inputs,
			"type") == kindOf {
			return r
		}
	}
	return nil
}

// validated reports whether the certificate's validation was awaited.
func (c *Cloud) validated(certificate *Resource) bool {
	return slices.ContainsFunc(c.all(state.CertificateValidation), func(v *Resource) bool {
		return text(v.Inputs, "certificateArn") == text(certificate.Outputs, "arn")
	})
}

// route53Types are hosted zones and their records.
var route53Types = []Type{
	{
		Token: state.HostedZone, ID: "Z{digits}", ARN: "arn:{partition}:route53:::hostedzone/{id}", Tags: true,
		InUse:    "HostedZoneNotEmpty",
		Required: []string{"name"}, Outputs: Object{"zoneId": "{id}"}, Replace: []string{"name"},
		Fields: []Field{like("name", domainName+`\.?`, "a domain name")},
	},
	{
		Token: state.DNSRecord, ID: "{zoneId}_{name}_{type}",
		Required:   []string{"name", "type", "zoneId"},
		ExactlyOne: [][]string{{"aliases", "records"}},
		Replace:    []string{"zoneId", "name", "type", "setIdentifier"},
		Fields: []Field{
			oneOf("type", "A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NAPTR", "NS", "PTR", "SOA", "SPF", "SRV", "SSHFP",
				"SVCB", "TLSA", "TXT"),
			between("ttl", 0, 2147483647), between("name", 1, 255),
		},
		Refs: []Ref{ref("zoneId", state.HostedZone).code("NoSuchHostedZone")},
		Check: []Rule{func(c *Call) error {
			if c.given([]string{"records"}) == 1 && c.given([]string{"ttl"}) == 0 {
				return fail("InvalidChangeBatch", "a record with values needs a ttl")
			}
			return nil
		}},
		Rules: []Rule{recordFits},
		After: func(c *Call) {
			c.Out["fqdn"] = Unknown{}
			if !c.unknown("name") {
				c.Out["fqdn"] = strings.TrimSuffix(c.text("name"), ".")
			}
		},
	},
}

func recordFits(c *Call) error {
	if zone := c.Cloud.find(c.text("zoneId"), "id", state.HostedZone); zone != nil && text(zone.Outputs, "name") != "" &&
		!c.unknown("name") {
		suffix := strings.TrimSuffix(text(zone.Outputs, "name"), ".")
		if name := strings.TrimSuffix(c.text("name"), "."); name != suffix && !strings.HasSuffix(name, "."+suffix) {
			return fail("InvalidChangeBatch", "the name %s is not within the zone %s", name, suffix)
		}
	}
	if c.Preview {
		return nil
	}
	for _, r := range c.Cloud.all(state.DNSRecord) {
		if r != c.Old && text(r.Inputs, "zoneId") == c.text("zoneId") && text(r.Inputs, "type") == c.text("type") &&
			strings.EqualFold(text(r.Outputs, "fqdn"), strings.TrimSuffix(c.text("name"), ".")) && !flag(c.In,
			"allowOverwrite") {
			return fail("InvalidChangeBatch", "%s exists already", r.describe())
		}
	}
	for _, alias := range objects(c.In, "aliases[]") {
		for _, lb := range c.Cloud.all(state.LoadBalancer) {
			if text(lb.Outputs, "dnsName") == text(alias, "name") && text(lb.Outputs, "zoneId") != text(alias, "zoneId") {
				return fail("InvalidChangeBatch", "the alias target %s does not lie within the zone %s", text(alias, "name"),
					text(alias, "zoneId"))
			}
		}
	}
	return nil
}

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// answer is the answer of a stubbed endpoint.
type answer struct {
	status int
	body   string
	header map[string]string
}

// account is a stub of AWS: answers by service and call, such as "iam GetRole".
type account struct {
	t       *testing.T
	answers map[string]answer
	asked   []string
	signed  map[string]bool
}

const owner = "123456789012"

func xml(body string) answer { return answer{status: 200, body: body} }

// query returns an answer of a service with the query protocol.
func query(call, body string) answer {
	return xml(fmt.Sprintf("<%sResponse><%sResult>%s</%sResult></%sResponse>", call, call, body, call, call))
}

func refusal(status int, code string) answer {
	return answer{status: status, body: fmt.Sprintf("<Response><Errors><Error><Code>%s</Code><Message>stub</Message></Error></Errors>"+
		"<Error><Code>%s</Code><Message>stub</Message></Error></Response>", code, code)}
}

// queryRefusal returns an error of the query protocol, and of Route 53.
func queryRefusal(status int, code string) answer {
	return answer{status: status, body: fmt.Sprintf("<ErrorResponse><Error><Code>%s</Code><Message>stub</Message></Error></ErrorResponse>", code)}
}

func jsonRefusal(code string) answer {
	return answer{status: 400, body: fmt.Sprintf(`{"__type":%q,"message":"stub"}`, code)}
}

// fine is an account without any problem.
func fine() map[string]answer {
	offers, classes := "", ""
	for _, zone := range []string{"a", "b", "c"} {
		offers += "<item><location>eu-west-1" + zone + "</location></item>"
		classes += "<AvailabilityZone><Name>eu-west-1" + zone + "</Name></AvailabilityZone>"
	}
	zones := ""
	for i, zone := range []string{"a", "b", "c"} {
		zones += fmt.Sprintf("<item><zoneName>eu-west-1%s</zoneName><zoneId>euw1-az%d</zoneId></item>", zone, i+1)
	}
	return map[string]answer{
		"sts GetCallerIdentity": query("GetCallerIdentity", "<Account>"+owner+"</Account><Arn>arn:aws:sts::"+owner+
			":assumed-role/deployer/me</Arn>"),
		"ec2 DescribeAvailabilityZones":     xml("<R><availabilityZoneInfo>" + zones + "</availabilityZoneInfo></R>"),
		"ec2 DescribeInstanceTypeOfferings": xml("<R><instanceTypeOfferingSet>" + offers + "</instanceTypeOfferingSet></R>"),
		"ec2 DescribeInstances":             xml("<R><reservationSet></reservationSet></R>"),
		"ec2 DescribeVpcs":                  xml("<R><vpcSet><item><vpcId>vpc-1</vpcId></item></vpcSet></R>"),
		"ec2 DescribeAddresses":             xml("<R><addressesSet></addressesSet></R>"),
		"ec2 DescribeImages":                image("available", "x86_64", ""),
		"ec2 RunInstances":                  refusal(412, "DryRunOperation"),
		"rds DescribeOrderableDBInstanceOptions": query("DescribeOrderableDBInstanceOptions", "<OrderableDBInstanceOptions>"+
			"<OrderableDBInstanceOption><EngineVersion>16.9</EngineVersion><AvailabilityZones>"+classes+
			"</AvailabilityZones></OrderableDBInstanceOption></OrderableDBInstanceOptions>"),
		"rds DescribeDBInstances":       query("DescribeDBInstances", "<DBInstances></DBInstances>"),
		"servicequotas GetServiceQuota": quotaOf(100),
		"iam GetRole":                   query("GetRole", "<Role><Arn>arn:aws:iam::"+owner+":role/team/deployer</Arn></Role>"),
		"s3 HEAD":                       {status: 200},
		"ecr DescribeImages":            {status: 200, body: `{"imageDetails":[{}]}`},
		"acm DescribeCertificate":       certificate("ISSUED", "is.example.com", "AMAZON_ISSUED", 4102444800),
		"route53 GET":                   hostedZone("example.com.", "false", "ns-1.awsdns.example", "ns-2.awsdns.example"),
	}
}

func image(state, architecture, product string) answer {
	codes := ""
	if product != "" {
		codes = "<item><productCode>" + product + "</productCode><type>marketplace</type></item>"
	}
	return xml("<R><imagesSet><item><imageState>" + state + "</imageState><architecture>" + architecture +
		"</architecture><productCodes>" + codes + "</productCodes></item></imagesSet></R>")
}

func quotaOf(value int) answer {
	return answer{status: 200, body: fmt.Sprintf(`{"Quota":{"Value":%d}}`, value)}
}

func certificate(status, name, kind string, ends int) answer {
	return answer{status: 200, body: fmt.Sprintf(`{"Certificate":{"Status":%q,"DomainName":%q,"Type":%q,"NotAfter":%d}}`, status, name,
		kind, ends)}
}

func hostedZone(name, private string, servers ...string) answer {
	list := ""
	for _, s := range servers {
		list += "<NameServer>" + s + "</NameServer>"
	}
	return xml("<GetHostedZoneResponse><HostedZone><Name>" + name + "</Name><Config><PrivateZone>" + private +
		"</PrivateZone></Config></HostedZone><DelegationSet><NameServers>" + list + "</NameServers></DelegationSet></GetHostedZoneResponse>")
}

var scope = regexp.MustCompile(`Credential=([^/]+)/\d+/([a-z0-9-]+)/([a-z0-9]+)/aws4_request`)

// ServeHTTP answers a request by its call and its service, which the signature names.
func (a *account) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	signed := scope.FindStringSubmatch(r.Header.Get("Authorization"))
	body, _ := io.ReadAll(r.Body)
	if len(signed) == 0 {
		a.t.Errorf("an unsigned request: %s %s", r.Method, r.URL)
		return
	}
	call := r.Method
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		call = target[strings.LastIndex(target, ".")+1:]
	} else if _, action, found := strings.Cut(string(body), "Action="); found {
		call, _, _ = strings.Cut(action, "&")
	}
	key := signed[3] + " " + call
	a.signed[signed[1]] = true
	a.asked = append(a.asked, key+" "+r.URL.Path+" "+string(body))
	// An answer may be for some requests of a call only: those with the text after the call.
	found, exact := a.answers[key]
	for _, particular := range sorted(a.answers) {
		if text, is := strings.CutPrefix(particular, key+" "); is && strings.Contains(r.URL.Path+" "+string(body), text) {
			found, exact = a.answers[particular], true
		}
	}
	if !exact {
		a.t.Errorf("no answer for %s", a.asked[len(a.asked)-1])
	}
	for name, value := range found.header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(found.status)
	_, _ = io.WriteString(w, found.body)
}

// computer is a stub of the machine.
type computer struct {
	lacks   error
	servers []string
	err     error
}

func (c computer) LookPath(string) error { return c.lacks }

func (c computer) NameServers(context.Context, string) ([]string, error) { return c.servers, c.err }

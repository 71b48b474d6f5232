package proof

import (
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/proof/iam"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// open are the services whose endpoints accept no policy, with what restricts them instead.
var open = map[string]string{
	"email-smtp":    "SES asks for SMTP credentials",
	"ecs-agent":     "only the ECS agent of a registered container instance is answered",
	"ecs-telemetry": "only the ECS agent of a registered container instance is answered",
	"eks-auth":      "it trades a pod's token for its role and takes nothing else",
	"wafv2":         "it says what a web ACL does and holds no data",
}

// published reports whether a bucket is one of AWS's public ones.
// https://github.com/aws-samples/data-perimeter-policy-examples, service_owned_resources.md
func (a *access) published(bucket string) bool {
	return slices.Contains([]string{
		"al2023-repos-" + a.region + "-de612dc2", "prod-" + a.region + "-starport-layer-bucket", "amazon-ssm-" + a.region,
	}, bucket)
}

// readByAll is the policy of such a bucket.
func readByAll(bucket string) *iam.Policy {
	return &iam.Policy{Name: "the bucket " + bucket, Statements: []iam.Statement{{
		Effect: "Allow", Principal: iam.Principals{"AWS": {"*"}}, Action: iam.Values{"s3:GetObject"}, Resource: iam.Values{"*"},
	}}}
}

// foreignCaller is a principal of another account with all permissions there.
func (a *access) foreignCaller(name string) caller {
	s := a.deployer()
	s.name, s.ARN = name, strings.Replace(s.ARN, a.account, "000000000000", 1)
	return s
}

// claimable are buckets that a policy names by a pattern, so that another account could create one of them.
func claimable(policy *iam.Policy) []string {
	var all []string
	for _, s := range policy.Statements {
		for _, arn := range s.Resource {
			bucket, _, _ := strings.Cut(arn[strings.LastIndex(arn, ":")+1:], "/")
			if s.Effect == "Allow" && bucket != "*" && strings.ContainsAny(bucket, "*?") {
				all = append(all, bucket)
			}
		}
	}
	return all
}

// proveEndpoints proves that nothing leaves the cluster through an endpoint: neither to another account's bucket with
// any credentials, nor with another account's credentials.
func (a *access) proveEndpoints(anyBucket bool) {
	v := a.endpoints
	for _, e := range a.Of(state.VPCEndpoint) {
		service := shortService(e.Text("serviceName"))
		if open[service] != "" {
			continue
		}
		policy := policyOf(e, "policy")
		switch {
		case service != "s3":
		case a.Get(state.VPC, e.Text("vpcId")) == nil || len(a.given) > 0:
			v.open("%s is in a VPC with others, whose buckets are not in the state", e)
			continue
		case anyBucket:
			v.open("%s lets every bucket through, as the stack file says", e)
			continue
		case policy != nil:
			for _, bucket := range claimable(policy) {
				v.fault("%s names the buckets %s, and another account could make one of them", e, bucket)
			}
		}
		a.show(v, service)
		for _, one := range a.outward(service) {
			r := &iam.Request{Principal: one.as.Principal, Action: one.action, Resource: one.on, Context: a.context(one, e)}
			if r.Decide(iam.Policies{Identity: one.as.policies.Identity, Endpoint: policy}).Allowed {
				v.fault("%s lets %s through for %s", e, strings.TrimSuffix(one.action+" on "+one.on, " on *"), one.as.name)
			}
		}
	}
}

// outward are calls that a service's endpoint must refuse.
func (a *access) outward(service string) []call {
	foreign, own := a.foreignCaller("a principal of another account"), a.deployer()
	own.name = "a principal of this account"
	if service == "s3" {
		bucket := "arn:" + a.partition + ":s3:::another/x"
		all := append(each(call{as: foreign}, bucket, "s3:PutObject"), each(call{as: own}, bucket, "s3:GetObject", "s3:PutObject")...)
		for _, r := range a.Of(state.BucketObject) {
			all = append(all, each(call{as: foreign}, r.Text("arn"), "s3:GetObject")...)
		}
		return all
	}
	prefix := service
	for of, names := range apiEndpoints {
		if slices.Contains(names, service) {
			prefix = of
		}
	}
	return each(call{as: foreign}, "*", prefix+":GetSomething")
}

package iam_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wso2is-aws/wso2is/rehearsal/proof/iam"
)

const (
	toRoot      = `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"kms:*","Resource":"*"}`
	toRootAsASG = `{"Sid":"AutoScaling","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"kms:Decrypt",
		"Resource":"*","Condition":{"ArnEquals":{"aws:PrincipalArn":"` + linked + `"}}}`
	toAllAsASG = `{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"kms:Decrypt","Resource":"*","Condition":{
		"StringEquals":{"kms:CallerAccount":"123456789012"},"ArnEquals":{"aws:PrincipalArn":"` + linked + `"}}}`
	read     = `{"Sid":"Read","Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::files/*"}`
	decrypt  = `{"Effect":"Allow","Action":"kms:Decrypt","Resource":"` + key + `"}`
	everyone = `{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}`
	onlyTLS  = `{"Sid":"OnlyTLS","Effect":"Deny","Principal":{"AWS":"*"},"Action":"s3:*","Resource":"*",
		"Condition":{"Bool":{"aws:SecureTransport":"false"}}}`
)

// decisions are requests with a result in AWS's documentation.
var decisions = map[string]struct {
	simulated
	allowed bool
	why     string
}{
	// KMS, "Default key policy": the account's statement alone grants nothing.
	"the account's statement gives a role without a policy nothing": {simulated{
		Principal: linked, Action: "kms:Decrypt", Resource: key, Owner: account, Policy: document(toRoot),
	}, false, "the key leaves that to the account's policies, and no policy of it allows that"},
	"nor does one on the role": {simulated{
		Principal: linked, Action: "kms:Decrypt", Resource: key, Owner: account, Policy: document(toRoot, toRootAsASG),
		Context: map[string][]string{"aws:PrincipalArn": {linked}},
	}, false, "the key leaves that to the account's policies"},
	"everyone under a condition on the role gives it directly": {simulated{
		Principal: linked, Action: "kms:Decrypt", Resource: key, Owner: account, Policy: document(toRoot, toAllAsASG),
		Context: map[string][]string{"aws:PrincipalArn": {linked}, "kms:CallerAccount": {account}},
	}, true, ""},
	"and nobody else": {simulated{
		Principal: role, Action: "kms:Decrypt", Resource: key, Owner: account, Policy: document(toRoot, toAllAsASG),
		Context: map[string][]string{"aws:PrincipalArn": {role}, "kms:CallerAccount": {account}},
	}, false, "no policy of it allows that"},
	"a role's policy counts where the key leaves it to the account": {simulated{
		Principal: role, Action: "kms:Decrypt", Resource: key, Owner: account, Identity: []string{document(decrypt)},
		Policy: document(toRoot),
	}, true, ""},
	"and not where it does not": {simulated{
		Principal: role, Action: "kms:Decrypt", Resource: key, Owner: account, Identity: []string{document(decrypt)},
		Policy: document(toAllAsASG),
	}, false, "the key does not allow it, nor does it leave that to the account's policies"},
	"a bucket's policy is not asked in its own account": {simulated{
		Principal: role, Action: "s3:GetObject", Resource: object, Owner: account, Identity: []string{document(read)},
	}, true, ""},
	"it is in another": {simulated{
		Principal: role, Action: "s3:GetObject", Resource: object, Owner: other, Identity: []string{document(read)},
	}, false, "the resource is in the account 210987654321, whose policy does not allow it"},
	"both sides of two accounts allow it": {simulated{
		Principal: role, Action: "s3:GetObject", Resource: object, Owner: other, Identity: []string{document(read)},
		Policy: document(everyone),
	}, true, ""},
	"a denial wins": {simulated{
		Principal: role, Action: "s3:GetObject", Resource: object, Owner: account, Identity: []string{document(read)},
		Policy: document(everyone, onlyTLS), Context: map[string][]string{"aws:SecureTransport": {"false"}},
	}, false, "the key denies it (OnlyTLS)"},
	"another object": {simulated{
		Principal: role, Action: "s3:GetObject", Resource: "arn:aws:s3:::other/x", Owner: account, Identity: []string{document(read)},
	}, false, "identity (Read) allows it on other resources or conditions only"},
	"a boundary limits": {simulated{
		Principal: role, Action: "s3:GetObject", Resource: object, Owner: account, Identity: []string{document(read)},
		Boundary: document(decrypt),
	}, false, "boundary does not allow it"},
	"an endpoint's policy lets nobody through": {simulated{
		Principal: role, Action: "s3:GetObject", Resource: object, Owner: account, Identity: []string{document(read)},
		Endpoint: document(`{"Effect":"Allow","Principal":"*","Action":"s3:PutObject","Resource":"*"}`),
	}, false, "endpoint does not let it through"},
	"an endpoint's policy lets it through": {simulated{
		Principal: role, Action: "s3:GetObject", Resource: object, Owner: account, Identity: []string{document(read)},
		Endpoint: document(everyone),
	}, true, ""},
	"an endpoint's policy gives nothing": {simulated{
		Principal: role, Action: "s3:GetObject", Resource: object, Owner: account, Endpoint: document(everyone),
	}, false, "no policy of it allows that"},
	"a service acts as itself": {simulated{
		Principal: "delivery.logs.amazonaws.com", Action: "s3:GetObject", Resource: object, Owner: account,
		Policy: document(`{"Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},"Action":"s3:*","Resource":"*"}`),
	}, true, ""},
	"and another one not": {simulated{
		Principal: "ec2.amazonaws.com", Action: "s3:GetObject", Resource: object, Owner: account,
		Policy: document(`{"Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},"Action":"s3:*","Resource":"*"}`),
	}, false, "the key does not allow it"},
	"nobody in particular reads what is open": {simulated{
		Action: "s3:GetObject", Resource: object, Owner: account, Policy: document(everyone),
	}, true, ""},
	"nobody in particular reads nothing else": {simulated{
		Action: "s3:GetObject", Resource: object, Owner: account, Policy: document(onlyTLS),
		Context: map[string][]string{"aws:SecureTransport": {"true"}},
	}, false, "does not allow it"},
}

func TestDecisions(t *testing.T) {
	for name, c := range decisions {
		t.Run(name, func(t *testing.T) {
			d := c.decide()
			assert.Equal(t, c.allowed, d.Allowed, d.Why)
			assert.Contains(t, d.Why, c.why)
		})
	}
}

func TestUnknownValuesAllowNothing(t *testing.T) {
	r := iam.Request{Principal: iam.Principal{ARN: role}, Action: "s3:GetObject", Resource: object}
	conditional := func(effect string) iam.Policy {
		return iam.Parse("p", document(`{"Effect":"`+effect+`","Action":"s3:*","Resource":"*",
			"Condition":{"StringEqualsIfExists":{"aws:PrincipalOrgID":"o-1"}}}`))
	}
	allow := iam.Parse("q", document(read))
	assert.False(t, r.Decide(iam.Policies{Identity: []iam.Policy{conditional("Allow")}}).Allowed)
	assert.False(t, r.Decide(iam.Policies{Identity: []iam.Policy{allow, conditional("Deny")}}).Allowed)
	assert.True(t, r.Decide(iam.Policies{Identity: []iam.Policy{allow}}).Allowed)
	d := r.Decide(iam.Policies{Identity: []iam.Policy{allow, conditional("Deny")}})
	assert.Equal(t, iam.Decision{Why: "p denies it", Unsure: true}, d)
	surely := iam.Parse("s", document(`{"Effect":"Deny","Action":"*","Resource":"*"}`))
	for _, all := range [][]iam.Policy{{allow, conditional("Deny"), surely}, {allow, surely, conditional("Deny")}} {
		assert.Equal(t, iam.Decision{Why: "s denies it"}, r.Decide(iam.Policies{Identity: all}))
	}
	hidden := iam.Policy{Name: "the boundary", Unknown: true}
	d = r.Decide(iam.Policies{Identity: []iam.Policy{allow}, Boundary: &hidden})
	assert.False(t, d.Allowed)
	assert.Equal(t, []string{"the boundary"}, d.Open)
	d = r.Decide(iam.Policies{Boundary: &hidden})
	assert.Empty(t, d.Open, "a boundary allows nothing by itself")
	d = r.Decide(iam.Policies{Identity: []iam.Policy{iam.Parse("the team's own", "no JSON")}})
	assert.False(t, d.Allowed)
	assert.Equal(t, []string{"the team's own"}, d.Open)
}

func TestAGrantLetsItsGranteeUseTheKey(t *testing.T) {
	key := iam.Parse("the key", document(toRoot))
	r := iam.Request{Principal: iam.Principal{ARN: linked}, Action: "kms:Decrypt", Resource: key.Name}
	r.Resource = "arn:aws:kms:eu-west-1:123456789012:key/1111"
	grant := iam.Grant{Grantee: linked, Operations: []string{"Decrypt"}}
	assert.True(t, r.Decide(iam.Policies{Resource: &key, Grants: []iam.Grant{grant}}).Allowed)
	grant.Operations = []string{"Encrypt"}
	assert.False(t, r.Decide(iam.Policies{Resource: &key, Grants: []iam.Grant{grant}}).Allowed)
	assert.False(t, r.Decide(iam.Policies{Resource: &key}).Allowed)
}

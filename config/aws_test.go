package config_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/configtest"
)

const deployRole = "arn:aws:iam::111122223333:role/deploy"

func TestReadsTheProvidersKeys(t *testing.T) {
	c := configtest.Load(t, object{
		"aws:profile": "prod", "aws:maxRetries": 5, "aws:useFipsEndpoint": "true", "aws:accessKey": "AKIAEXAMPLE",
		"aws:secretKey": "MARKER-SECRET", "aws:assumeRole": object{"roleArn": deployRole, "externalId": "x"},
		"aws:allowedAccountIds": []string{"111122223333"}, "aws:endpoints": []object{{"s3": "https://s3.example.com"}},
		"aws:httpsProxy": "http://user:password@proxy:3128",
	}, "aws:secretKey", "aws:httpsProxy").Cluster
	p := c.Provider
	require.Equal(t, "prod", p.Profile)
	require.Equal(t, 5, *p.MaxRetries)
	require.True(t, *p.UseFipsEndpoint)
	require.Equal(t, "MARKER-SECRET", p.SecretKey.Reveal())
	require.Equal(t, config.AssumeRole{RoleArn: deployRole, ExternalId: "x"}, *p.AssumeRole)
	require.Equal(t, []string{"111122223333"}, p.AllowedAccountIds)
	require.Equal(t, []map[string]string{{"s3": "https://s3.example.com"}}, p.Endpoints)
	require.ElementsMatch(t, []string{"httpsProxy", "secretKey"}, p.Encrypted, "any key may be encrypted, and stays so")
	require.NotContains(t, fmt.Sprintf("%+v", c), "MARKER")
}

func TestRefusesWhatTheProviderWouldMisunderstand(t *testing.T) {
	eks := func(changes object) object {
		changes["topology"], changes["eks"] = "eks", object{"publicAccessCidrs": []string{"203.0.113.7/32"}}
		return changes
	}
	const cannot = "the kubeconfig's token comes from `aws eks get-token`, which has no option for it; "
	check(t, map[string]refusal{
		"unknown key": one(object{"aws:assumeRoles": []object{{"roleArn": deployRole}}},
			"aws:assumeRoles: there is no such key; write assumeRole"),
		"secret in plain text": one(object{"aws:accessKey": "AKIAEXAMPLE", "aws:secretKey": "hunter2"},
			"aws:secretKey: the value is in plain text; run `pulumi config set --path --secret aws:secretKey` "+
				"and give the value when asked"),
		"half a key": one(object{"aws:accessKey": "AKIAEXAMPLE"},
			"aws:secretKey: accessKey needs it; write it, or leave out accessKey"),
		"token without keys": {object{"aws:token": "t"}, []string{"aws:token"},
			[]string{"aws:token: a session token belongs to keys; give accessKey and secretKey too"}},
		"account as a number": one(object{"aws:allowedAccountIds": []any{111122223333}},
			`aws:allowedAccountIds[0]: 111122223333 is not a string; write it in quotes, such as "111122223333"`),
		"no account": one(object{"aws:forbiddenAccountIds": []string{"prod"}},
			`aws:forbiddenAccountIds[0]: "prod" is not the id of an account; write its 12 digits in quotes, such as "123456789012"`),
		"both lists": one(object{"aws:allowedAccountIds": []string{"111122223333"}, "aws:forbiddenAccountIds": []string{"444455556666"}},
			"aws:forbiddenAccountIds: the provider accepts only one of it and allowedAccountIds; leave out one of them"),
		"account unknown": one(object{"aws:allowedAccountIds": []string{"111122223333"}, "aws:skipRequestingAccountId": true},
			"aws:skipRequestingAccountId: the provider then cannot know whether the account is allowed; leave it out"),
		"no role": one(object{"aws:assumeRole": object{"sessionName": "pulumi"}},
			`aws:assumeRole.roleArn: "" is not the ARN of a role; write one such as arn:aws:iam::123456789012:role/deploy`),
		"no web token": one(object{"aws:assumeRoleWithWebIdentity": object{"roleArn": deployRole}},
			"aws:assumeRoleWithWebIdentity.webIdentityTokenFile: the provider needs exactly one token to assume the role; "+
				"write webIdentityTokenFile, or set webIdentityToken"),
		"two endpoints": one(object{"aws:endpoints": []object{{"s3": "https://a"}, {"sts": "https://b"}}},
			"aws:endpoints: the list has 2 objects; write one object with every service in it"),
		"own tag": one(object{"aws:defaultTags": object{"tags": object{"stack": "x"}}},
			"aws:defaultTags.tags.stack: the program sets this tag itself; write another key"),
		"tag twice": one(object{"aws:defaultTags": object{"tags": object{"team": "a"}}, "tags": object{"team": "b"}},
			"aws:defaultTags.tags.team: wso2is:tags gives it another value; write the tag once"),
		"own tag ignored": one(object{"aws:ignoreTags": object{"keyPrefixes": []string{"WSO2"}}},
			"aws:ignoreTags: the program sets the tag WSO2Cluster itself; write keys of others"),
		"external id on eks": one(eks(object{"aws:assumeRole": object{"roleArn": deployRole, "externalId": "x"}}),
			"aws:assumeRole.externalId: "+cannot+"write aws:profile, and put it into that profile of the AWS configuration file"),
		"two files on eks": one(eks(object{"aws:sharedConfigFiles": []string{"a", "b"}}),
			"aws:sharedConfigFiles: "+cannot+"write one file"),
	})
}

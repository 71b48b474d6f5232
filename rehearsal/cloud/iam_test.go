package cloud

import (
	"testing"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

func policyOf(statement string) string {
	return `{"Version":"2012-10-17","Statement":[` + statement + `]}`
}

func TestRefusesWrongPolicies(t *testing.T) {
	w := network(t)
	identity := func(statement string) Object { return Object{"role": "nodes", "policy": policyOf(statement)} }
	const rolePolicy = "aws:iam/rolePolicy:RolePolicy"
	w.refusesEach(t, mistakes{
		"policy is no JSON": {rolePolicy, Object{"role": "nodes", "policy": "allow all"},
			"MalformedPolicyDocument"},
		"policy of no version": {rolePolicy, Object{"role": "nodes",
			"policy": `{"Statement":[{"Effect":"Allow","Action":"ec2:*","Resource":"*"}]}`}, "Version"},
		"policy effect": {rolePolicy, identity(`{"Effect":"allow","Action":"ec2:*","Resource":"*"}`),
			`Effect is "allow"`},
		"policy of no service": {rolePolicy, identity(`{"Effect":"Allow","Action":"ec3:Run","Resource":"*"}`), "ec3"},
		"policy with a typo": {rolePolicy, identity(`{"Effect":"Allow","Actions":"ec2:*","Resource":"*"}`),
			"Actions"},
		"policy without resource": {rolePolicy, identity(`{"Effect":"Allow","Action":"ec2:*"}`), "has no Resource"},
		"policy in a wrong partition": {rolePolicy,
			identity(`{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws-cn:s3:::x"}`), "partition"},
		"policy with a principal": {rolePolicy,
			identity(`{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}`), "Principal"},
		"policy condition": {rolePolicy,
			identity(`{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringsEqual":{"a":"b"}}}`),
			"StringsEqual"},
		"role taken": {state.Role, Object{"name": "nodes", "assumeRolePolicy": assumedByEC2},
			"EntityAlreadyExists"},
		"boundary that is not there": {state.Role, Object{"name": "x", "assumeRolePolicy": assumedByEC2,
			"permissionsBoundary": "arn:aws:iam::123456789012:policy/none"}, "NoSuchEntity"},
		"boundary of another account": {state.Role, Object{"name": "x", "assumeRolePolicy": assumedByEC2,
			"permissionsBoundary": "arn:aws:iam::999999999999:policy/none"}, "does not exist in the account 123456789012"},
		"path without its end": {state.Role, Object{"name": "x", "assumeRolePolicy": assumedByEC2, "path": "/identity"},
			"begins and ends with a slash"},
		"managed policy": {"aws:iam/rolePolicyAttachment:RolePolicyAttachment", Object{"role": "nodes",
			"policyArn": "arn:aws:iam::aws:policy/Nothing"}, "NoSuchEntity"},
	})
}

func TestRefusesWrongKeys(t *testing.T) {
	w := network(t)
	w.refusesEach(t, mistakes{
		"key nobody manages": {state.KMSKey,
			Object{"policy": policyOf(`{"Effect":"Allow",` +
				`"Principal":{"Service":"rds.amazonaws.com"},"Action":"kms:Decrypt","Resource":"*"}`)}, "will not allow you to update"},
		"key for a role that is not there yet": {state.KMSKey,
			Object{"policy": policyOf(`{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"kms:*","Resource":"*"},` +
				`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:role/aws-service-role/autoscaling.amazonaws.com/` +
				`AWSServiceRoleForAutoScaling"},"Action":"kms:Decrypt","Resource":"*"}`)}, "one or more invalid principals"},
		"alias of AWS": {"aws:kms/alias:Alias", Object{"name": "alias/aws/x", "targetKeyId": w.ids["key"]},
			"belongs to AWS"},
	})
}

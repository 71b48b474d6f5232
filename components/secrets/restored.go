package secrets

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/secretsmanager"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Restored replaces generated values with those of another stack's secrets, whose names begin with the prefix. A value
// that the other stack does not have is generated. A stack without an encryption key from either source is refused: it
// could not read its database.
func Restored(ctx *pulumi.Context, values []Value, prefix string, provider pulumi.InvokeOption) ([]Value, error) {
	// The provider returns names and ARNs as two sets without an order.
	found, err := secretsmanager.GetSecrets(ctx, &secretsmanager.GetSecretsArgs{
		Filters: []secretsmanager.GetSecretsFilter{{Name: "name", Values: []string{prefix}}},
	}, provider)
	if err != nil {
		return nil, fmt.Errorf("listing the secrets whose names begin with %s: %w", prefix, err)
	}
	names := map[string]bool{}
	for _, name := range found.Names {
		names[strings.TrimPrefix(name, prefix)] = true
	}
	restored := make([]Value, len(values))
	for i, value := range values {
		restored[i] = value
		switch {
		case value.Given.Set():
			continue
		case !names[value.Key] && value.Key == EncryptionKey:
			return nil, fmt.Errorf("the account has no secret %s%s. One that was deleted is brought back by `aws secretsmanager "+
				"restore-secret`", prefix, value.Key)
		case !names[value.Key]:
			continue
		}
		version, err := secretsmanager.LookupSecretVersion(ctx, &secretsmanager.LookupSecretVersionArgs{SecretId: prefix + value.Key}, provider)
		if err != nil {
			return nil, fmt.Errorf("reading the secret %s%s: %w", prefix, value.Key, err)
		}
		restored[i].From, restored[i].Generate = "", func() (string, error) { return version.SecretString, nil }
	}
	return restored, nil
}

package main

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/configtest"
	"github.com/wso2is-aws/wso2is/config/product"
)

func TestTheProgramTakesStandInsForEverySecret(t *testing.T) {
	for _, release := range product.Versions() {
		standIn := standIns()
		of := func(path string) string { return standIn(config.Namespace + ":" + path) }
		facts, err := release.Facts()
		assert.NoError(t, err)
		secrets := map[string]any{"keystore": of("secrets.keystore"), "keystorePassword": of("secrets.keystorePassword")}
		if len(facts.EncryptionKeyBytes) > 0 {
			secrets["encryptionKey"] = of("secrets.encryptionKey")
		}
		if facts.RotatesEncryptionKey {
			secrets["previousEncryptionKey"] = of("secrets.previousEncryptionKey")
		}
		_, err = configtest.TryLoad(map[string]any{
			"version": string(release), "secrets": secrets, "admin": map[string]any{"password": of("admin.password")},
			"clustering": map[string]any{"scheme": "aws", "aws": map[string]any{
				"accessKey": of("clustering.aws.accessKey"), "secretKey": of("clustering.aws.secretKey"),
			}},
			"userStore": map[string]any{
				"type": "readOnlyLdap", "url": "ldaps://directory.example.com:636", "cidrs": []string{"10.1.0.0/16"},
				"bindDn": "cn=is,dc=example,dc=com", "userSearchBase": "ou=users,dc=example,dc=com",
				"groupSearchBase": "ou=groups,dc=example,dc=com", "bindPassword": of("userStore.bindPassword"),
			},
		}, "secrets", "admin", "clustering", "userStore")
		assert.NoError(t, err, release)
	}
}

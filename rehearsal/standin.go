package main

import (
	"strings"
	"sync"

	"github.com/wso2is-aws/wso2is/components/secrets"
	"github.com/wso2is-aws/wso2is/config"
)

// standInText has a length and characters that every rule for a secret text takes.
const standInText = "stand-in-for-a-secret"

// standIns gives a function that answers the path of a secret, such as wso2is:secrets.keystore, with a value that the
// program takes in its place. The same function answers the same.
func standIns() func(path string) string {
	keystore := sync.OnceValue(func() string {
		text, err := secrets.GenerateKeystore("localhost")(standInText)
		if err != nil {
			return "" // The program then says that there is no keystore.
		}
		return text
	})
	return func(path string) string {
		switch strings.TrimPrefix(path, config.Namespace+":") {
		case "secrets.encryptionKey":
			return strings.Repeat("0123456789abcdef", 2)
		case "secrets.previousEncryptionKey":
			return strings.Repeat("fedcba9876543210", 2)
		case "secrets.keystore":
			return keystore()
		case "eks.cluster.kubeconfig":
			return "" // As if left out: the program makes one for the cluster, which the offline cloud knows.
		}
		return standInText
	}
}

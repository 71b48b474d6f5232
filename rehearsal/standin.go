package main

import (
	"sync"

	"github.com/wso2is-aws/wso2is/components/secrets"
	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/stackfile"
)

// standIns gives a function that answers the path of a secret, such as wso2is:secrets.keystore, with a value that the
// program takes in its place. The same function answers the same. Without a kubeconfig the program makes one for the
// cluster, which the offline cloud knows.
func standIns() func(path string) string {
	keystore := sync.OnceValue(func() string {
		text, err := secrets.GenerateKeystore("localhost")(stackfile.StandInText)
		if err != nil {
			return "" // The program then says that there is no keystore.
		}
		return text
	})
	return func(path string) string {
		if path == config.Namespace+":secrets.keystore" {
			return keystore()
		}
		return stackfile.StandIn(path)
	}
}

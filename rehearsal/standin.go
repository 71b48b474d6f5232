package main

import (
	"sync"

	"github.com/wso2is-aws/wso2is/components/secrets"
	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/stackfile"
)

// standIns returns a function that returns a valid value for the path of a secret, such as wso2is:secrets.keystore. It
// always returns the same value for a path. Without a kubeconfig, the program makes one for the cluster, which the
// offline cloud knows.
func standIns() func(path string) string {
	keystore := sync.OnceValue(func() string {
		text, err := secrets.GenerateKeystore("localhost")(stackfile.StandInText)
		if err != nil {
			return "" // the program then reports a missing keystore
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

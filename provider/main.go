// Command pulumi-resource-wso2is is the Pulumi package wso2is: the component Cluster for programs in every language.
package main

import (
	"context"
	"fmt"
	"os"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

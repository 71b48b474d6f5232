// Command wso2is is the Pulumi program: it builds the WSO2 Identity Server cluster that the selected stack describes.
package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/stacks"
)

func main() { pulumi.Run(stacks.Deploy) }

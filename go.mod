module github.com/wso2is-aws/wso2is

go 1.25.11

require (
	github.com/pelletier/go-toml/v2 v2.4.3
	github.com/pulumi/pulumi-aws/sdk/v6 v6.83.2
	github.com/pulumi/pulumi/sdk/v3 v3.250.0
)

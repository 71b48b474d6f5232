module github.com/wso2is-aws/wso2is/preflight

go 1.26.6

require github.com/wso2is-aws/wso2is v0.0.0

replace github.com/wso2is-aws/wso2is => ../

package proof_test

const costs = "Nothing costs money without a use"

// another adds an interface endpoint of a service.
func another(service string) func(*document) {
	return func(d *document) {
		d.copy("VpcEndpoint", "logs", service)
		d.set("VpcEndpoint", service, "serviceName", "com.amazonaws.eu-west-1."+service)
	}
}

var costMutations = map[string]mutation{
	"an endpoint of KMS": {"prod", another("kms"), costs,
		"VpcEndpoint kms costs in every zone, and nothing in the VPC calls kms: the services that keep encrypted values call it themselves"},
	"an endpoint of the file system": {"eks", another("elasticfilesystem"), costs,
		"nothing in the VPC calls elasticfilesystem: files are mounted by a DNS name"},
	"an endpoint of older agents": {"ecs", another("ec2messages"), costs,
		"nothing in the VPC calls ec2messages: the Systems Manager agent uses ssmmessages"},
	"an endpoint for discovery that does not take place": {"dev", another("ec2"), costs,
		"VpcEndpoint ec2 costs in every zone, and nothing in the VPC calls ec2"},
	"an endpoint for mail that nobody asks for": {"dev", another("email-smtp"), costs,
		"VpcEndpoint email-smtp costs in every zone, and nothing in the VPC calls email-smtp"},
	"a database in Extended Support": {"prod", func(d *document) {
		d.set("rds/instance:Instance", "main", "engineLifecycleSupport", "open-source-rds-extended-support")
	}, costs, "Instance main is enrolled in RDS Extended Support"},
	"a cluster in extended support": {"eks", func(d *document) {
		d.put("eks/cluster:Cluster", "cluster", "upgradePolicy", "supportType", "EXTENDED")
	}, costs, "Cluster cluster slides into extended support"},
	"a log group that RDS makes": {"prod", func(d *document) { d.drop("LogGroup", "main-postgresql") }, costs,
		"RDS makes the log group /aws/rds/instance/wso2is-prod-main/postgresql of Instance main itself"},
	"logs for ever": {"prod", func(d *document) { d.set("LogGroup", "nodes", "retentionInDays", 0) }, costs,
		"LogGroup nodes keeps its logs for ever"},
}

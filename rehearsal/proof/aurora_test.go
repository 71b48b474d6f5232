package proof_test

const (
	followsWriter = "Nodes use the writer of each Aurora cluster, and follow it when it fails over"
	dbCluster     = "Cluster"
	dbMember      = "ClusterInstance"
)

var auroraMutations = map[string]mutation{
	"a driver that takes readers": {"aurora", func(d *document) {
		d.edit(objectKind, "nodes/all/deployment.toml", "content", "&amp;targetServerType=primary", "")
	}, followsWriter, "the data source identity_db of nodes/all/deployment.toml keeps a connection to a server that has become a reader"},
	"a pool that takes readers": {"aurora tasks", func(d *document) {
		d.edit(objectKind, "nodes/all/deployment.toml", "content", "@@read_only + @@innodb_read_only", "@@read_only")
	}, followsWriter, "the data source shared_db of nodes/all/deployment.toml keeps a connection to a server that has become a reader"},
	"the endpoint of readers": {"aurora", func(d *document) {
		d.edit(objectKind, "nodes/all/deployment.toml", "content", ".cluster-c", ".cluster-ro-c")
	}, followsWriter, "is at no cluster endpoint, which leads to the writer"},
	"an address kept for ever": {"aurora", func(d *document) {
		started(d, "-Dsun.net.inetaddr.ttl=5", "-Dsun.net.inetaddr.ttl=600")
	}, followsWriter, "keeps the address of a cluster for 600 seconds, and it is good for 5"},
	"a reader beside the writer": {"aurora", func(d *document) { d.set(dbMember, "main-2", "availabilityZone", "eu-west-1a") }, followsWriter,
		"Cluster main has its instances in one zone: nobody can log in while it is lost"},
	"no reader": {"aurora", func(d *document) { d.drop(dbMember, "main-2") }, followsWriter, "has its instances in one zone"},
	"connections in the clear": {"aurora", func(d *document) {
		d.set("ClusterParameterGroup", "aurora-postgresql16", "parameters", []any{})
	}, followsWriter, "takes connections in the clear"},
	"storage with the key of RDS": {"aurora", func(d *document) { d.set(dbCluster, "main", "kmsKeyId", nil) },
		"All stored data is encrypted with the stack's key", "everybody in the account may use the key of its storage"},
	"a cluster that one call deletes": {"aurora", func(d *document) { d.set(dbCluster, "main", "deletionProtection", false) },
		"Data can be restored", "one call deletes it"},
	"a cluster that leaves nothing": {"aurora", func(d *document) { d.set(dbCluster, "main", "skipFinalSnapshot", true) },
		"Data can be restored", "nothing is left of it when it is deleted"},
	"a cluster in no plan": {"aurora", func(d *document) {
		d.set(dbCluster, "main", "arn", "arn:aws:rds:eu-west-1:123456789012:cluster:other")
	}, "One rule of the backup plan covers all data, and each backup names the keys and files that belong to it", "Cluster main is in no backup plan"},
	"logs without an end": {"aurora", func(d *document) { d.drop("LogGroup", "main-postgresql") },
		"Nothing costs money without a use: no extended support, no endpoint without a caller, no logs without an end",
		"RDS makes the log group /aws/rds/cluster/wso2is-aurora-main/postgresql"},
	"a public instance": {"aurora", func(d *document) { d.set(dbMember, "main-1", "publiclyAccessible", true) },
		"Nothing that holds data or runs a node is open to the internet", "it gets a public address"},
}

package mutation

import "regexp"

// argument says why a mutant that the rehearsal does not notice is no gap.
type argument struct {
	// kind matches the mutants' type, path and damage.
	kind *regexp.Regexp
	why  string
}

func because(kind, why string) argument { return argument{regexp.MustCompile(kind), why} }

// argued are the mutants that a first life of a stack cannot tell from the original, or that are no worse.
var argued = []argument{
	because(`Instance userDataReplaceOnChange is `, "It decides a later change only: rehearsal/change counts nodes that are stopped in place."),
	because(`Instance allowMajorVersionUpgrade is `, "It decides a later change only: the change database-major of rehearsal/change needs it."),
	because(`Instance (applyImmediately|multiAz) is true`, "It is stricter, or dearer, than a stack that may be thrown away needs."),
	because(`Instance applyImmediately is false`, "It delays changes to the maintenance window."),
	because(`Instance deleteAutomatedBackups is false`, "Backups stay longer than needed."),
	because(`Record aliases\[\*\]\.evaluateTargetHealth`, "The name has one record, which Route 53 answers with either way."),
	because(`Record allowOverwrite is false`, "It matters where another stack left the same validation record."),
	because(`enabledCloudwatchLogsExports loses its first entry`, "The database runs the same; its other logs are still exported."),
	because(`VpcEndpoint subnetIds loses its first entry`, "The other zones' interfaces answer, at the price of a way between zones."),
	because(`bucketKeyEnabled is `, "It decides how many calls of KMS are paid for and changes nothing else."),
	because(`SubnetGroup subnetIds loses its first entry`, "Two zones are left, as many as a database and its standby use."),
	because(`(LoadBalancer enableDeletionProtection|Instance deletionProtection) is true`, "It is stricter than a stack that may be thrown away needs."),
	because(`performanceInsightsEnabled is `, "It records the database's load and changes nothing else."),
	because(`LaunchTemplate updateDefaultVersion is false`, "A group names the version that it launches; nothing takes the default one."),
	because(`Document content\.mainSteps\[\*\]\.isEnd is false`, "The step is the document's last one, after which the run ends anyway."),
	because(`FileSystemPolicy .* NodesMount is about everything`, "The policy is the file system's own: there is nothing else that it could be about."),
	because(`FileSystemPolicy .* OnlyAccessPoints loses elasticfilesystem:Client(RootAccess|Write)`, "Without ClientMount, which stays denied, nothing is mounted."),
	because(`FileSystemPolicy .*Condition NodesMount has no condition`, "The policy's two denials ask for an access point and TLS too."),
	because(`FindLogGroups is about everything`, "logs:DescribeLogGroups takes no less than all groups of the account."),
	because(`DiscoverMembers loses ec2:DescribeAvailabilityZones`, "WSO2's guide asks for it; Hazelcast's discovery is not known to call it."),
	because(`AutoScaling loses kms:Encrypt`, "Auto Scaling's guide lists it among what a key policy allows; no call that starts an instance is known to need it."),
	because(`MetricAlarm .*dependsOn`, "Made earlier it does not ring either: the rehearsal evaluates each alarm from when it is made."),
	because(`Dashboard .*dependsOn`, "It shows what there is, whenever it is made."),
	because(`(EventRule|EventTarget) .*dependsOn`, "It would only tell earlier, of what happens while the stack is made."),
	because(`MetricAlarm alarmActions loses its first entry`, "Where nobody is told of alarms, the only action is to recover a member, which EC2 does by itself too: "+
		"maintenanceOptions.autoRecovery is default."),
}

func arguments(m Mutant) string {
	for _, a := range argued {
		if a.kind.MatchString(m.kind()) {
			return a.why
		}
	}
	return ""
}

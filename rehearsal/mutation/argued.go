package mutation

import (
	"regexp"

	"github.com/wso2is-aws/wso2is/rehearsal/proof"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// argument is the reason for which a mutant may stay unnoticed.
type argument struct {
	// kind matches the mutants' type, path and damage.
	kind *regexp.Regexp
	why  string
}

func because(kind, why string) argument { return argument{regexp.MustCompile(kind), why} }

// argued are the mutants that a rehearsal cannot distinguish from the original, or that are no worse.
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
	because(`AutoScaling loses kms:Encrypt`, "Auto Scaling's guide lists it among what a key policy allows; no call that starts an instance is known to need it."),
	because(`MetricAlarm .*dependsOn`, "Made earlier it does not ring either: the rehearsal evaluates each alarm from when it is made."),
	because(`Dashboard .*dependsOn`, "It shows what there is, whenever it is made."),
	because(`(EventRule|EventTarget) .*dependsOn`, "It would only tell earlier, of what happens while the stack is made."),
	because(`MetricAlarm alarmActions loses its first entry`, "Without a topic, the only action is to recover a member. EC2 also does this by itself: "+
		"maintenanceOptions.autoRecovery is default."),
	because(`TaskDefinition (nodes|schema) dependsOn`, "The service and the association that run it wait for the roles' policies themselves."),
	because(`Service waitForSteadyState is true`, "The provider's wait ends before that of the automation."),
	because(`Service enableEcsManagedTags is false`, "ECS's own tags say what a task costs; members are found by the stack's."),
	because(`Service enableExecuteCommand is `, "It lets people look into a container; tests hold ecs.exec against it."),
	because(`Service capacityProviderStrategies is gone`, "The ECS cluster's default strategy names the same capacity provider."),
	because(`Service networkConfiguration\.subnets loses its first entry`, "Two zones are left."),
	because(`Document .*awsvpcConfiguration\.subnets loses its first entry`, "The task starts in another zone."),
	because(`(Group|Repository) forceDelete is `, "It decides whether its content must be deleted before it."),
	because(`Repository imageScanningConfiguration\.scanOnPush is false`, "A scan tells of images and changes nothing that runs."),
	because(`LifecyclePolicy policy\.rules loses its first entry`, "Old images stay longer than needed."),
	because(`initProcessEnabled is false`, "It buries what Execute Command leaves behind; the programs wait for their own children."),
	because(`Group healthCheckGracePeriod is 0`, "The group asks EC2 for its instances' health, to which an instance that boots is initializing, not unhealthy."),
	because(`RunTask has no condition`, "The statement names the stack's own task definition; the condition names its ECS cluster besides."),
	because(`enhanced_container_insights is true`, "It measures more, for more money, and changes nothing else."),
	because(`bootstrapSelfManagedAddons is true`, "EKS then installs what the stack's add-ons take over."),
	because(`enableServiceLinks is true`, "Containers get variables of the namespace's Services, which no program of theirs reads."),
	because(`(Job|ServiceAccount) .*automountServiceAccountToken is `, "A pod says itself whether it mounts the token; the schema's account may do nothing."),
	because(`ConfigMap immutable is false`, "Its name has a checksum of its content: another content is another ConfigMap."),
	because(`Release values\.(createIngressClassResource|enableShield|enableWaf|enableWafv2) is true`,
		"The controller asks for these only for an Ingress, which a cluster with a target group of its own does not have."),
	because(`HorizontalPodAutoscaler .*policies\[\*\]\.periodSeconds is 600`, "It scales more slowly."),
	because(`NodeGroup scalingConfig\.(maxSize|minSize) is `, "Only the program changes how many Kubernetes nodes there are."),
	because(`NodeGroup subnetIds loses its first entry`, "Two zones are left, and pods spread over them."),
	because(`enabledClusterLogTypes loses its first entry`, "One of the control plane's logs is gone; the cluster runs the same."),
	because(`NetworkPolicy spec\.policyTypes loses its first entry`, "The API server fills in both directions, and other policies allow the needed connections."),
	because(`NetworkPolicy spec\.egress loses its first entry`, "The first of its kind, aws-apis, opens what discovery opens too: 443 to the cluster's subnets."),
	because(`Measure$`, "The agent measures through its log group; AWS's policy for it has this."),
	because(`Deployment .*\.containerPort is 5702`, "The port of a container tells people only; members listen where deployment.toml says."),
	because(`Service spec\.ports(\[\*\]\.port is 5702| loses its first entry)`, "Members are found by the Service's addresses, and asked on the port of deployment.toml."),
	because(`(mountPoints|volumeMounts)\[\*\]\.readOnly is false`, "The container may then write files that are made again at each start."),
	because(`SecurityGroupIngressRule toPort is 10251`, "Only the control plane comes through, which commands the Kubernetes nodes anyway."),
	because(`Job .*dependsOn`, "What the job names waits for the rest: its secrets, its account, its ConfigMap."),
	because(`initContainers\[(members|turn)\]\.volumeMounts loses its first entry`, "It is /tmp, where the AWS CLI has a cache that it does without."),
	because(`BucketPolicy .*loses the statement OnlyTLS`, "What reads and writes it speaks TLS; the denial keeps others from doing without."),
}

// lostAction is an action that a statement of a policy loses.
var lostAction = regexp.MustCompile(`loses (\S+:\S+)$`)

func arguments(m Mutant) string {
	if lost := lostAction.FindStringSubmatch(m.What); lost != nil && m.Type == state.RolePolicy {
		if why := proof.UnusedReason(m.Name, lost[1]); why != "" {
			return why
		}
	}
	for _, a := range argued {
		if a.kind.MatchString(m.kind()) {
			return a.why
		}
	}
	return ""
}

package price

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// billed says how a resource type is charged: the function that counts it, or the reason for which it is free.
type billed struct {
	free  string
	count func(*meter, *state.Resource)
}

// Reasons for which several types are free.
const (
	setting = "a setting of another resource, which is priced where AWS charges for it"
	nothing = "AWS charges nothing for it (Amazon VPC pricing)"
	iamFree = "AWS charges nothing for IAM"
	ssmFree = "an automation's first 100,000 steps a month are free (AWS Systems Manager pricing), and a change takes a few dozen"
	ecsFree = "ECS charges for the tasks' instances or Fargate, not for itself"
	eksFree = "EKS charges for the cluster only (Amazon EKS pricing)"
	scaling = "scaling charges for the started nodes, not for itself"
	lbFree  = "part of the load balancer's hour and capacity units"
)

// billing has a row for each known type, except those of Kubernetes.
var billing = map[string]billed{
	state.BackupVault:                      {free: "a vault charges for its backups, which are priced with their sources"},
	state.BackupVaultPolicy:                {free: setting},
	state.BackupVaultLock:                  {free: setting},
	state.BackupPlan:                       {count: (*meter).copies},
	state.RecoveryPoint:                    {free: "priced with what the plan selects"},
	state.BackupSelection:                  {count: (*meter).selected},
	state.Certificate:                      {free: "public certificates are free (AWS Certificate Manager pricing)"},
	state.CertificateValidation:            {free: setting},
	state.MetricAlarm:                      {count: (*meter).alarm},
	state.CompositeAlarm:                   {count: one(Observability, "cloudwatch", "composite alarm")},
	state.Dashboard:                        {count: one(Observability, "cloudwatch", "dashboard")},
	state.LogGroup:                         {free: "a log group charges for its data, which is priced for all groups together"},
	state.EventRule:                        {free: "rules on events of AWS's own services are free (Amazon EventBridge pricing)"},
	state.EventTarget:                      {free: setting},
	state.Schedule:                         {free: "the first 14 million invocations a month are free (Amazon EventBridge pricing)"},
	state.EC2Instance:                      {count: (*meter).member},
	state.LaunchTemplate:                   {free: "its instances are priced with their group; the instance that makes the schema runs for minutes"},
	state.AutoScalingGroup:                 {count: (*meter).group},
	state.AutoScalingPolicy:                {free: scaling},
	state.AutoScalingAttachment:            {free: setting},
	state.LifecycleHook:                    {free: setting},
	state.VPC:                              {free: nothing},
	state.Subnet:                           {free: nothing},
	state.SubnetCIDRReservation:            {free: nothing},
	state.InternetGateway:                  {free: nothing},
	state.ElasticIP:                        {count: hourly(Network, "vpc", publicIPv4)},
	state.NATGateway:                       {count: hourly(Network, "vpc", "NAT gateway")},
	state.RouteTable:                       {free: nothing},
	state.DefaultRouteTable:                {free: nothing},
	state.RouteTableAssociation:            {free: nothing},
	state.MainRouteTableAssociation:        {free: nothing},
	state.Route:                            {free: nothing},
	state.NetworkACL:                       {free: nothing},
	state.DefaultNetworkACL:                {free: nothing},
	state.NetworkACLRule:                   {free: nothing},
	state.NetworkACLAssociation:            {free: nothing},
	state.NetworkInterface:                 {free: nothing},
	state.VPCEndpoint:                      {count: (*meter).endpoint},
	state.VPCEndpointRouteTableAssociation: {free: nothing},
	state.FlowLog:                          {free: "a flow log charges for its data, which is priced with the logs"},
	state.SecurityGroup:                    {free: nothing},
	state.DefaultSecurityGroup:             {free: nothing},
	state.SecurityGroupRule:                {free: nothing},
	state.SecurityGroupIngressRule:         {free: nothing},
	state.SecurityGroupEgressRule:          {free: nothing},
	state.TransitGateway:                   {free: "a Transit Gateway charges for attachments and data (AWS Transit Gateway pricing)"},
	state.TransitGatewayVPCAttachment:      {count: hourly(Network, "vpc", "transit gateway attachment")},
	state.MulticastDomain:                  {free: "part of the attachment's hour"},
	state.MulticastDomainAssociation:       {free: "part of the attachment's hour"},
	state.ECRRepository:                    {count: (*meter).repository},
	state.ECRRepositoryPolicy:              {free: setting},
	state.ECRLifecyclePolicy:               {free: setting},
	state.ECSCluster:                       {count: (*meter).ecsCluster},
	state.ECSService:                       {count: (*meter).service},
	state.TaskDefinition:                   {free: ecsFree},
	state.CapacityProvider:                 {free: ecsFree},
	state.ClusterCapacityProviders:         {free: ecsFree},
	state.ScalableTarget:                   {free: scaling},
	state.ScalingPolicy:                    {free: scaling},
	state.FileSystem:                       {count: (*meter).files},
	state.FileSystemPolicy:                 {free: setting},
	state.AccessPoint:                      {free: "EFS charges for storage and throughput"},
	state.MountTarget:                      {free: "EFS charges for storage and throughput"},
	state.BackupPolicy:                     {count: (*meter).backups},
	state.EKSCluster:                       {count: (*meter).eksCluster},
	state.NodeGroup:                        {count: (*meter).nodeGroup},
	state.Addon:                            {count: (*meter).addon},
	state.AccessEntry:                      {free: eksFree},
	state.AccessPolicyAssociation:          {free: eksFree},
	state.PodIdentityAssociation:           {free: eksFree},
	state.LoadBalancer:                     {count: (*meter).balancer},
	state.Listener:                         {free: lbFree},
	state.ListenerRule:                     {free: lbFree},
	state.TargetGroup:                      {free: lbFree},
	state.TargetGroupAttachment:            {free: lbFree},
	state.Role:                             {free: iamFree},
	state.RolePolicy:                       {free: iamFree},
	state.RolePolicyAttachment:             {free: iamFree},
	state.ManagedPolicy:                    {free: iamFree},
	state.InstanceProfile:                  {free: iamFree},
	state.KMSKey:                           {count: (*meter).key},
	state.KMSAlias:                         {free: setting},
	state.KMSGrant:                         {free: setting},
	state.LambdaFunction:                   {free: "it runs once, for seconds; the first million requests a month are free (AWS Lambda pricing)"},
	state.DBInstance:                       {count: (*meter).database},
	state.DBCluster:                        {count: (*meter).cluster},
	state.DBClusterInstance:                {count: (*meter).clusterInstance},
	state.DBClusterParameterGroup:          {free: setting},
	state.DBClusterSnapshot:                {free: "priced with the backups of its database"},
	state.DBSnapshot:                       {free: "priced with the backups of its database"},
	state.DBSnapshotCopy:                   {free: "priced with the backups of its database"},
	state.DBSubnetGroup:                    {free: setting},
	state.DBParameterGroup:                 {free: setting},
	state.DBEventSubscription:              {free: setting},
	state.HostedZone:                       {count: one(LoadBalancing, "route53", "hosted zone")},
	state.DNSRecord:                        {free: "a record costs nothing, nor does a query that an alias to a load balancer answers (Amazon Route 53 pricing)"},
	state.Bucket:                           {count: (*meter).bucket},
	state.BucketObject:                     {free: "priced with its bucket"},
	state.BucketPolicy:                     {free: setting},
	state.BucketPublicAccessBlock:          {free: setting},
	state.BucketEncryption:                 {free: setting},
	state.BucketLifecycle:                  {free: setting},
	state.BucketVersioning:                 {free: setting},
	state.BucketOwnershipControls:          {free: setting},
	state.Topic:                            {free: "the first million publications a month are free (Amazon SNS pricing)"},
	state.TopicPolicy:                      {free: setting},
	state.Secret:                           {count: one(Secrets, "secretsmanager", "secret")},
	state.SecretVersion:                    {free: "priced with its secret"},
	state.SecretPolicy:                     {free: setting},
	state.SSMAssociation:                   {free: ssmFree},
	state.SSMDocument:                      {free: ssmFree},
	state.SSMParameter:                     {free: "standard parameters are free (AWS Systems Manager pricing)"},
	state.WebACLAssociation:                {free: "the web ACL is another owner's, who pays for it and its requests"},
}

// publicIPv4 is AWS's charge for each public address (AWS News Blog, 2023-07-28), also for a load balancer's in each
// subnet.
const publicIPv4 = "public IPv4 address"

// one counts a resource with a price for each month.
func one(c Concern, service, item string) func(*meter, *state.Resource) {
	return func(m *meter, r *state.Resource) { m.add(c, state.Words(r.Type), 1, service, item, 1, "") }
}

// hourly counts a resource with a price for each hour.
func hourly(c Concern, service, item string) func(*meter, *state.Resource) {
	return func(m *meter, r *state.Resource) { m.add(c, state.Words(r.Type), 1, service, item, Hours, "") }
}

// instances counts instances of a type, and their volumes.
func (m *meter) instances(words, kind string, n int, volumes []state.Object, assumption string) {
	if strings.HasPrefix(kind, "t") {
		// T3 and T4g instances launch as unlimited (EC2 user guide, "Unlimited mode for burstable performance instances").
		assumption = strings.TrimPrefix(assumption+"; no CPU credits beyond those earned", "; ")
	}
	m.add(Nodes, words, n, "ec2", kind, float64(n)*Hours, assumption)
	for _, v := range volumes {
		size, _ := v.Int("volumeSize")
		m.add(Nodes, "volume", n, "ebs", v.Text("volumeType"), float64(n*size), "")
	}
	m.nodes += n
}

func (m *meter) member(r *state.Resource) {
	volumes := append(r.Objects("rootBlockDevice"), r.Objects("ebsBlockDevices")...)
	m.instances(state.Words(r.Type), r.Text("instanceType"), 1, volumes, "")
}

// launched returns the volumes that a launch template gives each instance.
func launched(template *state.Resource) []state.Object {
	var all []state.Object
	for _, device := range template.Objects("blockDeviceMappings") {
		if ebs := device.Object("ebs"); ebs != nil {
			all = append(all, ebs)
		}
	}
	return all
}

// atMost names the number of nodes that scaling may reach.
func atMost(n, most int) string {
	if most > n {
		return fmt.Sprintf("%d of at most %d", n, most)
	}
	return ""
}

func (m *meter) group(r *state.Resource) {
	n, told := r.Int("desiredCapacity")
	if !told {
		n, _ = r.Int("minSize")
	}
	most, _ := r.Int("maxSize")
	template := m.Get(state.LaunchTemplate, r.Text("launchTemplate.id"))
	if m.RunsNginx(r) {
		m.nginx(template, n)
		return
	}
	m.instances("EC2 instance", template.Text("instanceType"), n, launched(template), atMost(n, most))
}

// nginx counts the instances of the stack's own nginx, which belong to the load balancer.
func (m *meter) nginx(template *state.Resource, n int) {
	const words = "nginx instance"
	m.add(LoadBalancing, words, n, "ec2", template.Text("instanceType"), float64(n)*Hours, "")
	for _, v := range launched(template) {
		size, _ := v.Int("volumeSize")
		m.add(LoadBalancing, "nginx volume", n, "ebs", v.Text("volumeType"), float64(n*size), "")
	}
}

func (m *meter) nodeGroup(r *state.Resource) {
	n, _ := r.Int("scalingConfig.desiredSize")
	most, _ := r.Int("scalingConfig.maxSize")
	template := m.Get(state.LaunchTemplate, r.Text("launchTemplate.id"))
	kind := template.Text("instanceType")
	if types := r.Texts("instanceTypes"); len(types) > 0 {
		kind = types[0]
	}
	m.instances("Kubernetes node", kind, n, launched(template), atMost(n, most))
}

// freeDisk is the ephemeral storage in GiB that is free for a task on Fargate (AWS Fargate pricing).
const freeDisk = 20

// service counts the tasks of a service on Fargate. Tasks on instances are paid with the instances.
func (m *meter) service(r *state.Resource) {
	n, _ := r.Int("desiredCount")
	task := m.One(state.TaskDefinition, r.Text("taskDefinition"), "arn")
	if task == nil || !slices.Contains(task.Texts("requiresCompatibilities"), "FARGATE") {
		return
	}
	most := n
	for _, target := range m.Of(state.ScalableTarget) {
		if path.Base(target.Text("resourceId")) == r.Text("name") {
			most, _ = target.Int("maxCapacity")
		}
	}
	arm := ""
	if task.Text("runtimePlatform.cpuArchitecture") == "ARM64" {
		arm = " ARM"
	}
	const words = "Fargate task"
	m.add(Nodes, words, n, "fargate", "vCPU"+arm, float64(n)*task.Number("cpu", 0)/1024*Hours, atMost(n, most))
	m.add(Nodes, words, n, "fargate", "GB"+arm, float64(n)*task.Number("memory", 0)/1024*Hours, atMost(n, most))
	m.add(Nodes, words, n, "fargate", "ephemeral storage GB", float64(n)*(task.Number("ephemeralStorage.sizeInGib", freeDisk)-freeDisk)*Hours, "")
	m.nodes += n
}

func (m *meter) ecsCluster(r *state.Resource) {
	for _, s := range r.Objects("settings") {
		if s.Text("name") == "containerInsights" && s.Text("value") != "disabled" {
			m.add(Observability, state.Words(r.Type), 1, "cloudwatch", "Container Insights metrics", 1, "")
		}
	}
}

// eksCluster counts the control plane. Extended support is charged after the end of standard support, which is in the
// stack's outputs.
func (m *meter) eksCluster(r *state.Resource) {
	m.add(ControlPlane, state.Words(r.Type), 1, "eks", "cluster", Hours, "")
	if r.Text("upgradePolicy.supportType") == "EXTENDED" && m.ended("Kubernetes on EKS ", time.Now()) {
		m.add(ControlPlane, state.Words(r.Type), 1, "eks", "extended support", Hours, "")
	}
}

// ended reports whether the standard support of a version with this prefix in the stack's outputs ended before a day.
func (m *meter) ended(prefix string, today time.Time) bool {
	return slices.ContainsFunc(state.Objects(outputs(m.State)["support"]), func(v state.Object) bool {
		ends, err := time.Parse(time.DateOnly, v.Text("ends"))
		return err == nil && strings.HasPrefix(v.Text("version"), prefix) && today.After(ends.AddDate(0, 0, 1))
	})
}

func (m *meter) addon(r *state.Resource) {
	if r.Text("addonName") == "amazon-cloudwatch-observability" {
		m.add(Observability, state.Words(r.Type), 1, "cloudwatch", "Container Insights metrics", 1, "")
	}
}

// database counts an RDS instance. A standby and its storage cost the same as the instance and its storage (RDS user
// guide, "On-Demand DB instances for Amazon RDS", Multi-AZ).
func (m *meter) database(r *state.Resource) {
	words, copies := state.Words(r.Type), 1.
	assumption := ""
	if r.Flag("multiAz", false) {
		copies, assumption = 2, "instance and standby"
	}
	item := r.Text("instanceClass") + " " + r.Text("engine")
	m.add(Database, words, 1, "rds", item, copies*Hours, assumption)
	storage := r.Number("allocatedStorage", 0)
	m.add(Database, words, 1, "rds", r.Text("storageType")+" storage", copies*storage, assumption)
	if iops := r.Number("iops", 0); iops > 0 {
		m.add(Database, words, 1, "rds", r.Text("storageType")+" IOPS", copies*iops, assumption)
	}
	if r.Text("engineLifecycleSupport") == "open-source-rds-extended-support" && m.ended(r.Text("engine")+" ", time.Now()) {
		m.add(Database, words, 1, "rds", "Extended Support", copies*Hours, "for each vCPU")
	}
	if days, _ := r.Int("performanceInsightsRetentionPeriod"); days > 7 {
		m.add(Observability, words, 1, "rds", "Performance Insights beyond 7 days", 1, "")
	}
	m.masterSecret(r)
	// Backup storage up to the size of the database is free (Amazon RDS pricing, backup storage).
	m.used(Database, words, "rds", "backup storage", "backups")
}

// masterSecret counts the secret with a managed master password.
func (m *meter) masterSecret(r *state.Resource) {
	if r.Flag("manageMasterUserPassword", false) {
		m.add(Secrets, "secret", 1, "secretsmanager", "secret", 1, "")
	}
}

// cluster counts the storage of an Aurora cluster and its use ("DB instance billing for Aurora" in the Aurora user guide). Its
// instances are counted by themselves.
func (m *meter) cluster(r *state.Resource) {
	words := state.Words(r.Type)
	m.used(Database, words, "rds", "Aurora storage", "databaseStorage")
	m.used(Database, words, "rds", "Aurora requests", "databaseRequests")
	m.masterSecret(r)
	m.used(Database, words, "rds", "Aurora backup storage", "backups")
}

// clusterInstance counts an instance of an Aurora cluster.
func (m *meter) clusterInstance(r *state.Resource) {
	words := state.Words(r.Type)
	m.add(Database, words, 1, "rds", r.Text("instanceClass")+" "+r.Text("engine"), Hours, "")
	cluster := m.One(state.DBCluster, r.Text("clusterIdentifier"))
	if cluster.Text("engineLifecycleSupport") == "open-source-rds-extended-support" && m.ended(cluster.Text("engine")+" ", time.Now()) {
		m.add(Database, words, 1, "rds", "Extended Support", Hours, "for each vCPU")
	}
	if days, _ := r.Int("performanceInsightsRetentionPeriod"); days > 7 {
		m.add(Observability, words, 1, "rds", "Performance Insights beyond 7 days", 1, "")
	}
}

func (m *meter) balancer(r *state.Resource) {
	words := state.Words(r.Type)
	item, units := "application load balancer", "LCU"
	if r.Text("loadBalancerType") == "network" {
		item, units = "network load balancer", "NLCU"
	}
	m.add(LoadBalancing, words, 1, "elb", item, Hours, "")
	if n, told := m.usage.Int("capacityUnits"); told {
		m.add(LoadBalancing, words, 1, "elb", units, float64(n)*Hours, fmt.Sprintf("usage.capacityUnits: %d", n))
	} else {
		m.used(LoadBalancing, words, "elb", units, "capacityUnits")
	}
	if subnets := len(r.Texts("subnets")); !r.Flag("internal", false) {
		m.add(LoadBalancing, words, subnets, "vpc", publicIPv4, float64(subnets)*Hours, "")
	}
}

// endpoint counts an interface endpoint, which costs money in each of its zones. Gateway endpoints are free.
func (m *meter) endpoint(r *state.Resource) {
	if subnets := len(r.Texts("subnetIds")); r.Text("vpcEndpointType") == "Interface" {
		m.add(Network, state.Words(r.Type), 1, "vpc", "interface endpoint", float64(subnets)*Hours, "")
	}
}

func (m *meter) files(r *state.Resource) {
	words := state.Words(r.Type)
	m.used(Storage, words, "efs", "standard", "files")
	if r.Text("throughputMode") == "elastic" {
		m.used(Storage, words, "efs", "elastic read", "filesRead")
		m.used(Storage, words, "efs", "elastic write", "filesWritten")
	}
}

func (m *meter) backups(r *state.Resource) {
	if r.Text("backupPolicy.status") == "ENABLED" {
		m.used(Storage, "EFS file system", "backup", "EFS backup", "files")
	}
}

// selected counts the files of a backup plan. Its backups of databases are snapshots of RDS, which are priced with the
// databases.
func (m *meter) selected(r *state.Resource) {
	for _, arn := range r.Texts("resources") {
		if m.One(state.FileSystem, arn, "arn") != nil {
			m.used(Storage, "EFS file system", "backup", "EFS backup", "files")
		}
	}
}

// copies names the copies of backups in other vaults. No state shows their size and their transfer.
func (m *meter) copies(r *state.Resource) {
	for _, rule := range r.Objects("rules") {
		for _, to := range rule.Objects("copyActions") {
			m.add(Storage, state.Words(r.Type), 1, "backup", "copies to another vault", 1, to.Text("destinationVaultArn"))
		}
	}
}

func (m *meter) repository(r *state.Resource) {
	m.used(Storage, state.Words(r.Type), "ecr", "storage", "images")
}

func (m *meter) bucket(r *state.Resource) {
	words := state.Words(r.Type)
	m.used(Storage, words, "s3", "standard", "objects")
	m.used(Storage, words, "s3", "write requests", "apiCalls")
}

func (m *meter) key(r *state.Resource) {
	assumption := ""
	if r.Flag("enableKeyRotation", false) {
		// KMS charges for the first and the second rotation of a key (AWS KMS pricing).
		assumption = "in its first year; each of the first two yearly rotations adds as much"
	}
	m.add(Secrets, state.Words(r.Type), 1, "kms", "key", 1, assumption)
	m.used(Secrets, state.Words(r.Type), "kms", "requests", "apiCalls")
}

// alarm counts the metrics that an alarm compares (Amazon CloudWatch pricing).
func (m *meter) alarm(r *state.Resource) {
	metrics := 0
	for _, q := range r.Objects("metricQueries") {
		if q.Object("metric") != nil {
			metrics++
		}
	}
	m.add(Observability, state.Words(r.Type), 1, "cloudwatch", "alarm", float64(max(metrics, 1)), "")
}

// traffic adds the costs that depend on transferred data.
func (m *meter) traffic() {
	if len(m.Of(state.LoadBalancer)) > 0 {
		m.used(Network, "data transfer", "data", "out to the internet", "dataOut")
	}
	if m.nodes > 1 {
		m.used(Network, "data transfer", "data", "between zones", "dataBetweenZones")
	}
	if len(m.Of(state.NATGateway)) > 0 {
		m.used(Network, "NAT gateway", "vpc", "NAT gateway data", "natData")
	}
	if slices.ContainsFunc(m.With(state.VPCEndpoint, "vpcEndpointType", "Interface"), func(r *state.Resource) bool { return !r.External }) {
		m.used(Network, "VPC endpoint", "vpc", "interface endpoint data", "endpointData")
	}
	if len(m.Of(state.TransitGatewayVPCAttachment)) > 0 {
		m.used(Network, "transit gateway", "vpc", "transit gateway data", "dataBetweenZones")
	}
	if len(m.Of(state.Secret)) > 0 {
		m.used(Secrets, "secret", "secretsmanager", "requests", "apiCalls")
	}
}

// logs adds the data that is written to and stored in log groups, once for all of them. Flow logs and those of an EKS
// control plane are vended logs with their own price (Amazon CloudWatch pricing).
func (m *meter) logs() {
	days := 0
	for _, g := range m.Of(state.LogGroup) {
		n, _ := g.Int("retentionInDays")
		days = max(days, n)
	}
	if days == 0 && len(m.Of(state.LogGroup)) == 0 {
		return
	}
	written, told := 0, true
	ingest := func(words, item, key string) {
		n, ok := m.usage.Int(key)
		written, told = written+n, told && ok
		m.used(Observability, words, "cloudwatch", item, key)
	}
	ingest("log group", "log ingestion", "logs")
	if slices.ContainsFunc(m.Of(state.FlowLog), func(f *state.Resource) bool { return f.Text("logDestinationType") == "cloud-watch-logs" }) {
		ingest("flow log", "vended log ingestion", "flowLogs")
	}
	if slices.ContainsFunc(m.Of(state.EKSCluster), func(c *state.Resource) bool { return len(c.Texts("enabledClusterLogTypes")) > 0 }) {
		ingest("EKS cluster", "vended log ingestion", "controlPlaneLogs")
	}
	if told {
		m.add(Observability, "log group", len(m.Of(state.LogGroup)), "cloudwatch", "log storage", float64(written)*float64(days)/30,
			fmt.Sprintf("%d GB a month, kept for %d days, not compressed", written, days))
	}
}

// customMetrics adds the metrics of the nodes' own namespace, once for the cluster and once for each node, if alarms
// watch them.
func (m *meter) customMetrics() {
	names := map[string]bool{}
	for _, a := range m.Of(state.MetricAlarm) {
		metrics := append([]state.Object{{"namespace": a.Text("namespace"), "metricName": a.Text("metricName")}}, nil)
		for _, q := range a.Objects("metricQueries") {
			metrics = append(metrics, q.Object("metric"))
		}
		for _, metric := range metrics {
			if space := metric.Text("namespace"); space != "" && !strings.HasPrefix(space, "AWS/") {
				names[space+" "+metric.Text("metricName")] = true
			}
		}
	}
	servers := m.servers()
	m.add(Observability, "metric", len(names), "cloudwatch", "custom metric", float64(len(names)*(servers+1)),
		fmt.Sprintf("%d metrics of the cluster and of each of %d nodes", len(names), servers))
}

// servers is the number of servers: the pods, or one on each instance or task.
func (m *meter) servers() int {
	pods := 0
	for _, d := range m.Of(state.Deployment) {
		n, told := d.Int("spec.replicas")
		for _, h := range m.Of(state.HorizontalPodAutoscaler) {
			if !told && h.Text("spec.scaleTargetRef.name") == d.Text("metadata.name") {
				n, _ = h.Int("spec.minReplicas")
			}
		}
		pods += n
	}
	if pods > 0 {
		return pods
	}
	return m.nodes
}

package price

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

type object = map[string]any

func resource(kind, name string, properties object) *state.Resource {
	return &state.Resource{
		URN: "urn:pulumi:prod::wso2is::" + kind + "::" + name, Type: kind, Name: name, ID: name, Custom: true, Outputs: properties,
	}
}

// usage is the assumed use in a stack's outputs.
var usage = object{
	"dataOut": 100., "dataBetweenZones": 100., "natData": 10., "endpointData": 20., "capacityUnits": 1., "logs": 10., "flowLogs": 5.,
	"controlPlaneLogs": 100., "databaseStorage": 20., "databaseRequests": 10., "files": 1., "filesRead": 10., "filesWritten": 1., "objects": 5., "images": 2., "backups": 0., "apiCalls": 100000.,
}

func in(region string, resources ...*state.Resource) *state.State {
	provider := resource("pulumi:providers:aws", "aws", object{"region": region})
	stack := &state.Resource{URN: "urn:pulumi:prod::wso2is::pulumi:pulumi:Stack::wso2is-prod", Type: "pulumi:pulumi:Stack", Outputs: object{"usage": usage}}
	return state.New(append([]*state.Resource{stack, provider}, resources...)...)
}

// shape has the numbers of a cluster's parts.
type shape struct{ nodes, gateways, endpoints, zones, databases, secrets, alarms, storage, pods int }

func (n shape) state() *state.State {
	var all []*state.Resource
	add := func(count int, kind string, properties object) {
		for i := range count {
			all = append(all, resource(kind, fmt.Sprintf("%s-%d", state.Kind(kind), i), properties))
		}
	}
	subnets := make([]any, n.zones)
	for i := range subnets {
		subnets[i] = fmt.Sprintf("subnet-%d", i)
	}
	add(n.nodes, state.EC2Instance, object{"instanceType": "m6i.xlarge", "rootBlockDevice": object{"volumeSize": 30., "volumeType": "gp3"}})
	for i := range n.gateways {
		all = append(all, resource(state.NATGateway, fmt.Sprintf("NatGateway-%d", i), object{"allocationId": fmt.Sprintf("Eip-%d", i)}))
	}
	add(n.gateways, state.ElasticIP, object{})
	add(n.endpoints, state.VPCEndpoint, object{"vpcEndpointType": "Interface", "subnetIds": subnets})
	add(n.databases, state.DBInstance, object{
		"instanceClass": "db.m6g.large", "engine": "postgres", "multiAz": true, "allocatedStorage": float64(n.storage), "storageType": "gp3",
		"manageMasterUserPassword": true,
	})
	add(n.secrets, state.Secret, object{})
	add(n.alarms, state.MetricAlarm, object{"namespace": "WSO2IS", "metricName": "ClusterMembers"})
	add(1, state.LoadBalancer, object{"subnets": subnets})
	if n.pods > 0 {
		add(1, state.Deployment, object{"spec": object{"replicas": float64(n.pods)}})
	}
	return in("eu-west-1", all...)
}

func shapes(t *rapid.T) shape {
	draw := func(label string, low, high int) int { return rapid.IntRange(low, high).Draw(t, label) }
	return shape{
		nodes: draw("nodes", 0, 6), gateways: draw("gateways", 0, 4), endpoints: draw("endpoints", 0, 12), zones: draw("zones", 1, 4),
		databases: draw("databases", 0, 3), secrets: draw("secrets", 0, 9), alarms: draw("alarms", 0, 20), storage: draw("storage", 20, 500),
		pods: draw("pods", 0, 5),
	}
}

func TestATotalIsTheSumOfItsRows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bill := Of(shapes(t).state())
		var rows, concerns Cents
		for _, r := range bill.Rows {
			rows += r.Month
			if !r.Priced() {
				require.Zero(t, r.Month, "%s has no price", r)
			}
		}
		for _, c := range Concerns() {
			concerns += bill.Of(c)
		}
		require.Equal(t, rows, bill.Total())
		require.Equal(t, rows, concerns)
	})
}

func TestCostNeverFallsWhenACountRises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := shapes(t)
		more := n
		for _, count := range []*int{
			&more.nodes, &more.gateways, &more.endpoints, &more.zones, &more.databases, &more.secrets, &more.alarms, &more.storage, &more.pods,
		} {
			if n.pods == 0 && count == &more.pods {
				continue // the first pods run on the existing nodes
			}
			before := *count
			*count += rapid.IntRange(1, 5).Draw(t, "more")
			require.GreaterOrEqual(t, Of(more.state()).Total(), Of(n.state()).Total(), "%+v after %+v", more, n)
			*count = before
		}
	})
}

func TestEveryTypeIsBillableOrFreeForAReason(t *testing.T) {
	source, err := os.ReadFile("../state/types.go")
	require.NoError(t, err)
	found := regexp.MustCompile(`= "(aws:[^"]+)"`).FindAllStringSubmatch(string(source), -1)
	require.Greater(t, len(found), 100)
	known := map[string]bool{}
	for _, m := range found {
		known[m[1]] = true
		b, priced := billing[m[1]]
		assert.True(t, priced, "%s has no row: say what it costs, or why it is free", m[1])
		assert.NotEqual(t, b.count == nil, b.free == "", "%s is billable or free", m[1])
	}
	for token := range billing {
		assert.True(t, known[token], "%s is no resource type of package state", token)
	}
}

func TestUnpricedResourcesAreNamedAndNotCounted(t *testing.T) {
	known := in("eu-west-1", resource(state.Secret, "a", nil))
	with := in("eu-west-1", resource(state.Secret, "a", nil), resource("aws:sqs/queue:Queue", "q", nil))
	assert.Equal(t, Of(known).Total(), Of(with).Total())
	require.Len(t, Of(with).Unpriced(), 1)
	assert.Contains(t, Of(with).Unpriced()[0].String(), "queue")

	s := in("eu-west-1", resource(state.Secret, "a", nil))
	for _, r := range s.All {
		if r.Type == "pulumi:pulumi:Stack" {
			r.Outputs["databaseEndpoints"] = object{"main": "db.example.com:5432"}
		}
	}
	assert.Equal(t, Of(known).Total(), Of(s).Total())
	assert.Equal(t, "existing database db.example.com:5432: its owner's bill", Of(s).Unpriced()[0].String())

	elsewhere := Of(in("sa-east-1", resource(state.NATGateway, "a", nil)))
	require.NotEmpty(t, elsewhere.Unpriced())
	assert.Zero(t, elsewhere.Total(), "the price of another Region is no price")

	untold := state.New(resource("pulumi:providers:aws", "aws", object{"region": "eu-west-1"}), resource(state.NATGateway, "a", nil))
	var names []string
	for _, r := range Of(untold).Unpriced() {
		names = append(names, r.Item)
	}
	assert.Contains(t, names, "NAT gateway data", "an amount that nobody assumed is not zero")
}

// TestABillIsWhatAWSWouldCharge adds up by hand from AWS's pages: 730 hours, twice for a standby, a public address for
// each subnet of a load balancer, and an endpoint's hour in each of its zones.
func TestABillIsWhatAWSWouldCharge(t *testing.T) {
	n := shape{nodes: 3, gateways: 3, endpoints: 7, zones: 3, databases: 1, secrets: 7, alarms: 18, storage: 100}
	by := map[Concern]float64{
		Nodes:         3*730*0.214 + 3*30*0.088,
		Database:      2*730*0.176 + 2*100*0.127,
		Network:       3*730*(0.048+0.005) + 7*3*730*0.011 + 100*0.09 + 100*0.01 + 10*0.048 + 20*0.01,
		LoadBalancing: 730*(0.0252+0.008) + 3*730*0.005,
		Secrets:       8*0.40 + 100000./10000*0.05,
		Observability: 18*0.10 + (3+1)*0.30,
	}
	bill := Of(n.state())
	for c, want := range by {
		assert.InDelta(t, want*100, float64(bill.Of(c)), 3, "%s", c)
	}
}

// TestAnAuroraClusterCostsItsInstancesAndItsUse adds up by hand from AWS's pages on Aurora: instances by the hour, storage by GB-month,
// requests by the million.
func TestAnAuroraClusterCostsItsInstancesAndItsUse(t *testing.T) {
	member := object{"instanceClass": "db.r6g.large", "engine": "aurora-postgresql", "clusterIdentifier": "main"}
	stack := func(region string) *Bill {
		return Of(in(region, resource(state.DBCluster, "main", object{"engine": "aurora-postgresql", "manageMasterUserPassword": true}),
			resource(state.DBClusterInstance, "main-1", member), resource(state.DBClusterInstance, "main-2", member)))
	}
	assert.InDelta(t, (2*730*0.26+20*0.10+10*0.20)*100, float64(stack("us-east-1").Of(Database)), 3)
	elsewhere := stack("eu-west-1")
	assert.InDelta(t, 2*730*0.286*100, float64(elsewhere.Of(Database)), 3)
	var unpriced []string
	for _, row := range elsewhere.Unpriced() {
		unpriced = append(unpriced, row.Item)
	}
	assert.ElementsMatch(t, []string{"Aurora requests", "Aurora storage"}, unpriced)
}

func TestABillIsComparedLineByLine(t *testing.T) {
	n := shape{nodes: 2, zones: 2}
	more := n
	more.nodes, more.secrets = 3, 1
	before, after := Of(n.state()), Of(more.state())
	var sum Cents
	for _, c := range after.Since(before) {
		sum += c.After - c.Before
	}
	assert.Equal(t, after.Total()-before.Total(), sum)
	assert.Empty(t, before.Since(before))
	back := before.Since(after)
	require.NotEmpty(t, back)
	for _, c := range back {
		assert.LessOrEqual(t, c.After, c.Before, "what goes costs nothing any more")
	}
}

func TestSavingsAreDifferencesOfBills(t *testing.T) {
	n := shape{nodes: 3, gateways: 3, endpoints: 7, zones: 3, databases: 1, storage: 100}
	s := n.state()
	total := Of(s).Total()
	found := Savings(s, 10)
	require.GreaterOrEqual(t, len(found), 3)
	for i, saving := range found {
		assert.Positive(t, saving.Month, saving.Edit)
		assert.NotEmpty(t, saving.Gives, saving.Edit)
		if i > 0 {
			assert.LessOrEqual(t, saving.Month, found[i-1].Month)
		}
	}
	assert.Equal(t, total, Of(s).Total(), "the state that was priced is not changed")

	alone := n
	alone.gateways = 1
	want := total - Of(alone.state()).Total()
	byEdit := map[string]Cents{}
	for _, saving := range found {
		byEdit[saving.Edit] = saving.Month
	}
	assert.Equal(t, want, byEdit["network.nat: single"])
	assert.Empty(t, Savings(in("eu-west-1", resource(state.Secret, "a", nil)), 3), "nothing to save")
}

func TestThePriceListIsWhole(t *testing.T) {
	rows, err := parse(file)
	require.NoError(t, err)
	seen := map[key]bool{}
	for _, p := range rows {
		k := key{p.Region, p.Service, p.Item}
		assert.False(t, seen[k], "%v is there twice", k)
		seen[k] = true
		if p.Region != commercial {
			assert.Equal(t, currency(p.Region), p.Currency, "%v", k)
		}
		assert.Contains(t, string(file), "\n# "+p.Source+": ", "the source of %v is not described", k)
	}
	_, ok := Find("cn-north-1", "kms", "key")
	assert.False(t, ok, "a price of the commercial partition is none in China")
}

func TestOldPricesAreTold(t *testing.T) {
	p := Price{AsOf: "2026-01-01"}
	assert.False(t, p.Old(time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC)))
	assert.True(t, p.Old(time.Date(2027, 1, 2, 0, 0, 0, 0, time.UTC)))
	bill := &Bill{Rows: []Row{{Price: Price{AsOf: "2024-01-01", Currency: "USD"}}, {}}}
	assert.Len(t, bill.Old(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)), 1)
}

func TestAmountsAreWrittenAsPeopleReadThem(t *testing.T) {
	assert.Equal(t, "1,234,567.08", Cents(123456708).String())
	assert.Equal(t, "-0.05", Cents(-5).String())
	assert.Equal(t, "+999.00", Cents(99900).Signed())
	assert.Equal(t, "0.00", Cents(0).Signed())
}

// TestFilesOfABackupPlanCostWhatEFSsOwnBackupsDo checks that a plan costs the same as EFS's own policy, and that copies
// are named.
func TestFilesOfABackupPlanCostWhatEFSsOwnBackupsDo(t *testing.T) {
	files := resource(state.FileSystem, "shared", object{"arn": "arn:fs"})
	own := Of(in("eu-west-1", files, resource(state.BackupPolicy, "shared", object{"backupPolicy": object{"status": "ENABLED"}})))
	selection := resource(state.BackupSelection, "backup", object{"resources": []any{"arn:fs", "arn:db"}})
	planned := Of(in("eu-west-1", files, selection))
	assert.Equal(t, own.Total(), planned.Total())
	assert.NotEqual(t, Of(in("eu-west-1", files)).Rows, planned.Rows)
	copied := Of(in("eu-west-1", files, selection, resource(state.BackupPlan, "backup", object{
		"rules": []any{object{"copyActions": []any{object{"destinationVaultArn": "arn:vault"}}}},
	})))
	require.Len(t, copied.Unpriced(), len(planned.Unpriced())+1)
	assert.Contains(t, fmt.Sprint(copied.Unpriced()), "copies to another vault")
}

// regions are those whose instance types and database classes have prices.
var regions = strings.Fields("us-east-1 us-east-2 us-west-2 eu-west-1 eu-central-1 ap-southeast-2")

// needs are the items in the bills of the shipped stacks, with an instance type and a database class for all of them.
// Each names the Regions for which no source with AWS's price was found: there, a bill names the item as unpriced. The
// metrics of Container Insights are not among them: no state shows their number.
var needs = []struct{ service, item, unpriced string }{
	{"backup", "EFS backup", "us-east-1 us-east-2 us-west-2 eu-west-1 eu-central-1 ap-southeast-2"},
	{"cloudwatch", "alarm", "ap-southeast-2"},
	{"cloudwatch", "custom metric", ""},
	{"cloudwatch", "dashboard", ""},
	{"cloudwatch", "log ingestion", ""},
	{"cloudwatch", "log storage", ""},
	{"cloudwatch", "vended log ingestion", "us-east-2 us-west-2 eu-central-1 ap-southeast-2"},
	{"data", "between zones", ""},
	{"data", "out to the internet", ""},
	{"ebs", "gp3", ""},
	{"ec2", "m6i.xlarge", ""},
	{"ecr", "storage", "eu-central-1 ap-southeast-2"},
	{"efs", "elastic read", "us-west-2 eu-west-1 ap-southeast-2"},
	{"efs", "elastic write", "us-west-2 eu-west-1 ap-southeast-2"},
	{"efs", "standard", "us-west-2 ap-southeast-2"},
	{"eks", "cluster", ""},
	{"elb", "LCU", ""},
	{"elb", "application load balancer", ""},
	{"fargate", "GB", ""},
	{"fargate", "vCPU", ""},
	{"fargate", "ephemeral storage GB", "us-west-2 eu-west-1 eu-central-1 ap-southeast-2"},
	{"kms", "key", ""},
	{"kms", "requests", ""},
	{"rds", "backup storage", "eu-west-1 ap-southeast-2"},
	{"rds", "db.m6g.large postgres", ""},
	{"rds", "gp3 storage", "ap-southeast-2"},
	{"s3", "standard", ""},
	{"s3", "write requests", ""},
	{"secretsmanager", "requests", ""},
	{"secretsmanager", "secret", ""},
	{"vpc", "NAT gateway", ""},
	{"vpc", "NAT gateway data", ""},
	{"vpc", "interface endpoint", "us-east-2 ap-southeast-2"},
	{"vpc", "interface endpoint data", "us-east-2 ap-southeast-2"},
	{"vpc", publicIPv4, ""},
}

// TestTheItemsOfEachStackArePricedInEachListedRegion checks that the items have prices beyond the named exceptions, and
// that no exception outlives its reason.
func TestTheItemsOfEachStackArePricedInEachListedRegion(t *testing.T) {
	for _, region := range regions {
		for _, n := range needs {
			_, known := Find(region, n.service, n.item)
			if slices.Contains(strings.Fields(n.unpriced), region) {
				assert.False(t, known, "%s %s in %s has a price now: take the exception away", n.service, n.item, region)
			} else {
				assert.True(t, known, "%s %s in %s has no price: a bill there leaves it out of the total", n.service, n.item, region)
			}
		}
	}
}

// TestPricesComeFromTheLastYears names the only price from before 2024. No later public quotation of it was found.
func TestPricesComeFromTheLastYears(t *testing.T) {
	rows, err := parse(file)
	require.NoError(t, err)
	var older []string
	for _, p := range rows {
		if p.AsOf < "2024" {
			older = append(older, p.Region+" "+p.Service+" "+p.Item)
		}
	}
	assert.Equal(t, []string{"us-east-2 ebs gp3"}, older)
}

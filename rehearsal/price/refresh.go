package price

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/wso2is-aws/wso2is/config/instancetype"
)

// Hosts of the price lists, by partition. They answer without credentials (Billing user guide, "Getting price list files
// manually"). GovCloud's Regions are in the commercial partition's list.
var hosts = map[string]string{
	"aws-cn": "https://pricing.cn-north-1.amazonaws.com.cn/offers/v1.0/cn/",
	"":       "https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/",
}

// entry is one line of an offer file: its columns by name.
type entry map[string]string

// listed is an item to find in an offer file.
type listed struct {
	// usage matches the usage type after the Region's prefix, and operation the operation if several have the usage
	// type.
	usage, operation string
	service, unit    string
	// item returns the item that a line prices, or empty for other lines.
	item func(entry) string
	// scale is the number of the offer's units in one unit.
	scale float64
}

func named(item string) func(entry) string { return func(entry) string { return item } }

// access returns read or written for the line's access type.
func access(read, written string) func(entry) string {
	return func(e entry) string {
		switch kind := strings.ToLower(e["Access Type"] + " " + e["PriceDescription"]); {
		case strings.Contains(kind, "read"):
			return read
		case strings.Contains(kind, "writ"):
			return written
		}
		return ""
	}
}

// offers are the offer files and their items.
var offers = []struct {
	code   string
	wanted []listed
}{
	{"AmazonEC2", []listed{
		{usage: `BoxUsage:.*`, service: "ec2", unit: "hour", item: instance},
		{usage: `EBS:VolumeUsage\.(gp2|gp3|io1|io2)`, service: "ebs", unit: "GB-month", item: func(e entry) string {
			return e["usageType"][strings.LastIndex(e["usageType"], ".")+1:]
		}},
		{usage: `NatGateway-Hours`, service: "vpc", unit: "hour", item: named("NAT gateway")},
		{usage: `NatGateway-Bytes`, service: "vpc", unit: "GB", item: named("NAT gateway data")},
	}},
	{"AmazonRDS", []listed{
		{usage: `InstanceUsage:db\..*`, service: "rds", unit: "hour", item: databaseClass},
		{usage: `RDS:GP2-Storage`, service: "rds", unit: "GB-month", item: anyEngine("gp2 storage")},
		{usage: `RDS:GP3-Storage`, service: "rds", unit: "GB-month", item: anyEngine("gp3 storage")},
		{usage: `RDS:PIOPS-Storage`, service: "rds", unit: "GB-month", item: anyEngine("io1 storage")},
		{usage: `RDS:PIOPS-Storage-IO2`, service: "rds", unit: "GB-month", item: anyEngine("io2 storage")},
		{usage: `RDS:ChargedBackupUsage`, service: "rds", unit: "GB-month", item: anyEngine("backup storage")},
		{usage: `Aurora:StorageUsage`, service: "rds", unit: "GB-month", item: anyEngine("Aurora storage")},
		{usage: `Aurora:StorageIOUsage`, service: "rds", unit: "million requests", scale: 1e6, item: anyEngine("Aurora requests")},
		{usage: `Aurora:BackupUsage`, service: "rds", unit: "GB-month", item: anyEngine("Aurora backup storage")},
	}},
	{"AWSELB", []listed{
		{usage: `LoadBalancerUsage`, operation: "LoadBalancing:Application", service: "elb", unit: "hour", item: named("application load balancer")},
		{usage: `LCUUsage`, operation: "LoadBalancing:Application", service: "elb", unit: "hour", item: named("LCU")},
		{usage: `LoadBalancerUsage`, operation: "LoadBalancing:Network", service: "elb", unit: "hour", item: named("network load balancer")},
		{usage: `LCUUsage`, operation: "LoadBalancing:Network", service: "elb", unit: "hour", item: named("NLCU")},
	}},
	{"AmazonVPC", []listed{
		{usage: `VpcEndpoint-Hours`, service: "vpc", unit: "hour", item: named("interface endpoint")},
		{usage: `VpcEndpoint-Bytes`, service: "vpc", unit: "GB", item: named("interface endpoint data")},
		{usage: `PublicIPv4:InUseAddress`, service: "vpc", unit: "hour", item: named(publicIPv4)},
		{usage: `TransitGateway-Hours`, operation: "TransitGatewayVPC", service: "vpc", unit: "hour", item: named("transit gateway attachment")},
		{usage: `TransitGateway-Bytes`, operation: "TransitGatewayVPC", service: "vpc", unit: "GB", item: named("transit gateway data")},
	}},
	{"AmazonEFS", []listed{
		{usage: `TimedStorage-ByteHrs`, service: "efs", unit: "GB-month", item: named("standard")},
		{usage: `ETDataAccess-Bytes`, service: "efs", unit: "GB", item: access("elastic read", "elastic write")},
	}},
	{"AWSBackup", []listed{{usage: `WarmStorage-ByteHrs-EFS`, service: "backup", unit: "GB-month", item: named("EFS backup")}}},
	{"AmazonS3", []listed{
		{usage: `TimedStorage-ByteHrs`, service: "s3", unit: "GB-month", item: named("standard")},
		{usage: `Requests-Tier1`, service: "s3", unit: "1,000 requests", scale: 1000, item: named("write requests")},
	}},
	{"AmazonECR", []listed{{usage: `TimedStorage-ByteHrs`, service: "ecr", unit: "GB-month", item: named("storage")}}},
	{"awskms", []listed{
		{usage: `KMS-Keys`, service: "kms", unit: "month", item: named("key")},
		{usage: `KMS-Requests`, service: "kms", unit: "10,000 requests", scale: 10000, item: named("requests")},
	}},
	{"AWSSecretsManager", []listed{
		{usage: `AWSSecretsManager-Secrets?`, service: "secretsmanager", unit: "month", item: named("secret")},
		{usage: `AWSSecretsManager-?APIRequests?`, service: "secretsmanager", unit: "10,000 requests", scale: 10000, item: named("requests")},
	}},
	{"AmazonCloudWatch", []listed{
		{usage: `DataProcessing-Bytes`, operation: "PutLogEvents", service: "cloudwatch", unit: "GB", item: named("log ingestion")},
		{usage: `VendedLog-Bytes`, service: "cloudwatch", unit: "GB", item: named("vended log ingestion")},
		{usage: `TimedStorage-ByteHrs`, service: "cloudwatch", unit: "GB-month", item: named("log storage")},
		{usage: `CW:AlarmMonitorUsage`, service: "cloudwatch", unit: "month", item: named("alarm")},
		{usage: `CW:MetricMonitorUsage`, service: "cloudwatch", unit: "month", item: named("custom metric")},
		{usage: `DashboardsUsageHour`, service: "cloudwatch", unit: "month", item: named("dashboard")},
	}},
	{"AmazonEKS", []listed{
		{usage: `AmazonEKS-Hours:perCluster`, service: "eks", unit: "hour", item: named("cluster")},
		{usage: `AmazonEKS-Hours:extendedSupport`, service: "eks", unit: "hour", item: named("extended support")},
	}},
	{"AmazonECS", []listed{
		{usage: `Fargate-vCPU-Hours:perCPU`, service: "fargate", unit: "hour", item: named("vCPU")},
		{usage: `Fargate-GB-Hours`, service: "fargate", unit: "hour", item: named("GB")},
		{usage: `Fargate-ARM-vCPU-Hours:perCPU`, service: "fargate", unit: "hour", item: named("vCPU ARM")},
		{usage: `Fargate-ARM-GB-Hours`, service: "fargate", unit: "hour", item: named("GB ARM")},
		{usage: `Fargate-EphemeralStorage-GB-Hours`, service: "fargate", unit: "hour", item: named("ephemeral storage GB")},
	}},
	{"AWSDataTransfer", []listed{
		{usage: `DataTransfer-Out-Bytes`, service: "data", unit: "GB", item: named("out to the internet")},
		{usage: `DataTransfer-Regional-Bytes`, service: "data", unit: "GB", item: named("between zones")},
	}},
}

// instance returns the instance type of a line that prices running Linux instances with shared tenancy.
func instance(e entry) string {
	kind := e["Instance Type"]
	_, known := instancetype.Lookup(kind)
	if !known || strings.Contains(kind, "metal") || e["Operating System"] != "Linux" || e["Tenancy"] != "Shared" ||
		e["Pre Installed S/W"] != "NA" || e["CapacityStatus"] != "Used" {
		return ""
	}
	return kind
}

// engines are RDS's names of engines, by engine and edition in the price list.
var engines = map[string]string{
	"PostgreSQL": "postgres", "MySQL": "mysql", "MariaDB": "mariadb", "Aurora PostgreSQL": "aurora-postgresql", "Aurora MySQL": "aurora-mysql",
	"Oracle Standard Two": "oracle-se2",
	"SQL Server Express":  "sqlserver-ex", "SQL Server Web": "sqlserver-web", "SQL Server Standard": "sqlserver-se", "SQL Server Enterprise": "sqlserver-ee",
}

// databaseClass returns the class and the engine of a line that prices an instance without a standby, with its license.
func databaseClass(e entry) string {
	engine := engines[strings.TrimSpace(e["Database Engine"]+" "+e["Database Edition"])]
	license := strings.ToLower(e["License Model"])
	if engine == "" || e["Deployment Option"] != "Single-AZ" || license != "no license required" && license != "license included" {
		return ""
	}
	return e["Instance Type"] + " " + engine
}

// anyEngine returns the item for lines of PostgreSQL, of Aurora PostgreSQL, or of every engine.
func anyEngine(item string) func(entry) string {
	return func(e entry) string {
		if engine := e["Database Engine"]; slices.Contains([]string{"PostgreSQL", "Aurora PostgreSQL", "Any"}, engine) {
			return item
		}
		return ""
	}
}

// prefix matches a Region's prefix of a usage type: USW2-, us-west-2-, or nothing. TS- belongs to another service.
const prefix = `^(?:[A-Z]{2,4}\d?-|[a-z]{2}(?:-[a-z]+)+-\d-)?`

// Refresh replaces the prices of a Region with those in AWS's price list, and returns the differences. Prices that are
// not in the list stay. host is empty for AWS's own.
func Refresh(ctx context.Context, client *http.Client, host, region string, current []byte) (fresh []byte, differences []string, err error) {
	if host == "" {
		host = cmp.Or(hosts[partition(region)], hosts[""])
	}
	rows, err := parse(current)
	if err != nil {
		return nil, nil, err
	}
	at := map[key]int{}
	for i, p := range rows {
		at[key{p.Region, p.Service, p.Item}] = i
	}
	for _, offer := range offers {
		found, err := readOffer(ctx, client, host, offer.code, region, offer.wanted)
		if err != nil {
			return nil, nil, fmt.Errorf("reading the price list of %s in %s: %w", offer.code, region, err)
		}
		for _, p := range found {
			i, had := at[key{region, p.Service, p.Item}]
			switch {
			case !had:
				differences = append(differences, fmt.Sprintf("%s %s %s: new, %v", region, p.Service, p.Item, p.Amount))
				rows = append(rows, p)
				continue
			case rows[i].Amount != p.Amount:
				differences = append(differences, fmt.Sprintf("%s %s %s: %v instead of %v", region, p.Service, p.Item, p.Amount, rows[i].Amount))
			}
			rows[i] = p
		}
	}
	fresh, err = format(current, rows)
	return fresh, differences, err
}

// readOffer reads the wanted items of one offer file. EC2's files have hundreds of megabytes, so it reads line by line.
func readOffer(ctx context.Context, client *http.Client, host, code, region string, wanted []listed) ([]Price, error) {
	var index struct {
		Regions map[string]struct{ CurrentVersionURL string }
	}
	body, err := get(ctx, client, host+code+"/current/region_index.json")
	if err != nil {
		return nil, err
	}
	err = errors.Join(json.NewDecoder(body).Decode(&index), body.Close())
	if err != nil {
		return nil, err
	}
	file, ok := index.Regions[region]
	if !ok {
		return nil, nil // the Region does not have the service
	}
	// The URL is absolute on the host: /offers/v1.0/aws/AmazonEC2/20260911/eu-west-1/index.json.
	root := host[:strings.Index(host, "/offers/")]
	body, err = get(ctx, client, root+path.Dir(file.CurrentVersionURL)+"/index.csv")
	if err != nil {
		return nil, err
	}
	found, err := readLines(body, region, wanted)
	return found, errors.Join(err, body.Close())
}

func get(ctx context.Context, client *http.Client, url string) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		_ = response.Body.Close()
		return nil, fmt.Errorf("%s answers %s", url, response.Status)
	}
	return response.Body, nil
}

// candidate is a price of an item from a number of units on.
type candidate struct {
	from   float64
	amount float64
}

// reader collects the wanted items of an offer file.
type reader struct {
	region string
	wanted []listed
	usages []*regexp.Regexp
	// published is the day on which AWS published the file.
	published string
	header    []string
	found     map[sought][]candidate
}

// sought is a wanted item.
type sought struct {
	of   int
	item string
}

func readLines(body io.Reader, region string, wanted []listed) ([]Price, error) {
	l := &reader{region: region, wanted: wanted, found: map[sought][]candidate{}}
	for _, w := range wanted {
		l.usages = append(l.usages, regexp.MustCompile(prefix+`(?:`+w.usage+`)$`))
	}
	r := csv.NewReader(body)
	r.FieldsPerRecord, r.ReuseRecord = -1, true
	for {
		record, err := r.Read()
		if err == io.EOF {
			return l.prices()
		}
		if err != nil {
			return nil, err
		}
		switch {
		case len(record) > 1 && record[0] == "Publication Date":
			l.published, _, _ = strings.Cut(record[1], "T")
		case len(record) > 0 && record[0] == "SKU":
			l.header = slices.Clone(record)
		case l.header != nil:
			e := entry{}
			for i, value := range record[:min(len(record), len(l.header))] {
				e[l.header[i]] = value
			}
			l.read(e)
		}
	}
}

// read records the price of a wanted line.
func (l *reader) read(e entry) {
	amount, err := strconv.ParseFloat(e["PricePerUnit"], 64)
	if err != nil || amount <= 0 || e["TermType"] != "OnDemand" || e["Currency"] != currency(l.region) || strings.HasPrefix(e["usageType"], "TS-") {
		return
	}
	from, _ := strconv.ParseFloat(e["StartingRange"], 64)
	for i, w := range l.wanted {
		if !l.usages[i].MatchString(e["usageType"]) || w.operation != "" && w.operation != e["operation"] {
			continue
		}
		if item := w.item(e); item != "" {
			l.found[sought{i, item}] = append(l.found[sought{i, item}], candidate{from, amount * cmp.Or(w.scale, 1)})
		}
	}
}

// prices returns the prices of the first tier that is not free. Two prices in one tier are an error: they belong to
// different items.
func (l *reader) prices() ([]Price, error) {
	var all []Price
	for s, found := range l.found {
		slices.SortFunc(found, func(a, b candidate) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.amount, b.amount)) })
		for _, p := range found[1:] {
			if p.from == found[0].from && p.amount != found[0].amount {
				return nil, fmt.Errorf("%s has two prices, %v and %v", s.item, found[0].amount, p.amount)
			}
		}
		w := l.wanted[s.of]
		amount := math.Round(found[0].amount*1e10) / 1e10
		all = append(all, Price{l.region, w.service, s.item, w.unit, amount, currency(l.region), l.published, "aws"})
	}
	slices.SortFunc(all, func(a, b Price) int { return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Item, b.Item)) })
	return all, nil
}

// format writes the file: its comments unchanged, and the rows in order.
func format(current []byte, rows []Price) ([]byte, error) {
	var b bytes.Buffer
	for line := range strings.Lines(string(current)) {
		if strings.HasPrefix(line, "#") {
			b.WriteString(line)
		}
	}
	slices.SortFunc(rows, func(a, b Price) int {
		return cmp.Or(cmp.Compare(a.Region, b.Region), cmp.Compare(a.Service, b.Service), cmp.Compare(a.Item, b.Item))
	})
	w := csv.NewWriter(&b)
	_ = w.Write(columns)
	for _, p := range rows {
		_ = w.Write([]string{p.Region, p.Service, p.Item, p.Unit, strconv.FormatFloat(p.Amount, 'f', -1, 64), p.Currency, p.AsOf, p.Source})
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

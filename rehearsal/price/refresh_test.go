package price

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// lines returns an offer file in AWS's format: five lines about the file, then columns and rows.
func lines(columns string, rows ...string) string {
	return "\"FormatVersion\",\"v1.0\"\n\"Disclaimer\",\"x\"\n\"Publication Date\",\"2026-12-01T10:00:00Z\"\n\"Version\",\"1\"\n\"OfferCode\",\"x\"\n" +
		columns + "\n" + strings.Join(rows, "\n") + "\n"
}

// priceList is a server like AWS's price list. It has no file for other services than the given ones.
func priceList(t *testing.T, files map[string]string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		parts := strings.Split(strings.TrimPrefix(r.URL.Path, "/offers/v1.0/aws/"), "/")
		file, has := files[parts[0]]
		switch {
		case strings.HasSuffix(r.URL.Path, "/region_index.json") && has:
			_, _ = fmt.Fprintf(w, `{"regions":{"eu-west-1":{"regionCode":"eu-west-1","currentVersionUrl":"/offers/v1.0/aws/%s/20261201/eu-west-1/index.json"}}}`, parts[0])
		case strings.HasSuffix(r.URL.Path, "/region_index.json"):
			_, _ = fmt.Fprint(w, `{"regions":{}}`)
		case r.URL.Path == "/offers/v1.0/aws/"+parts[0]+"/20261201/eu-west-1/index.csv" && has:
			_, _ = fmt.Fprint(w, file)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL + "/offers/v1.0/aws/"
}

const someRows = `# a note that stays
region,service,item,unit,price,currency,as_of,source
aws,kms,key,month,1,USD,2026-09-29,terratofu
eu-west-1,ec2,m6i.xlarge,hour,0.2,USD,2025-04-24,vantage
us-east-1,ec2,m6i.xlarge,hour,0.192,USD,2025-04-24,vantage
`

const ec2Columns = `"SKU","TermType","PriceDescription","StartingRange","Unit","PricePerUnit","Currency","Instance Type","Operating System","Tenancy","Pre Installed S/W","CapacityStatus","usageType","operation"`

func TestRefreshReadsAWSsPriceList(t *testing.T) {
	host := priceList(t, map[string]string{
		"AmazonEC2": lines(ec2Columns,
			`"A","OnDemand","","0","Hrs","0.2140000000","USD","m6i.xlarge","Linux","Shared","NA","Used","EU-BoxUsage:m6i.xlarge","RunInstances"`,
			`"B","OnDemand","","0","Hrs","0.4","USD","m6i.xlarge","Windows","Shared","NA","Used","EU-BoxUsage:m6i.xlarge","RunInstances:0002"`,
			`"C","Reserved","","0","Hrs","0.1","USD","m6i.xlarge","Linux","Shared","NA","Used","EU-BoxUsage:m6i.xlarge","RunInstances"`,
			`"D","OnDemand","","0","Hrs","0.048","USD","","","","","","EU-NatGateway-Hours","NatGateway"`),
		"AWSELB": lines(`"SKU","TermType","StartingRange","PricePerUnit","Currency","usageType","operation"`,
			`"A","OnDemand","0","0.0252","USD","EU-LoadBalancerUsage","LoadBalancing:Application"`,
			`"B","OnDemand","0","0.005","USD","EU-TS-LoadBalancerUsage","LoadBalancing:Application"`,
			`"C","OnDemand","0","0.028","USD","EU-LoadBalancerUsage","LoadBalancing:Network"`),
		"AWSDataTransfer": lines(`"SKU","TermType","StartingRange","PricePerUnit","Currency","usageType","operation"`,
			`"A","OnDemand","0","0.0000000000","USD","EU-DataTransfer-Out-Bytes",""`,
			`"A","OnDemand","10240","0.085","USD","EU-DataTransfer-Out-Bytes",""`,
			`"A","OnDemand","100","0.09","USD","EU-DataTransfer-Out-Bytes",""`),
		"AWSSecretsManager": lines(`"SKU","TermType","StartingRange","PricePerUnit","Currency","usageType","operation"`,
			`"A","OnDemand","0","0.000005","USD","EU-AWSSecretsManager-APIRequests",""`),
	})
	fresh, differences, err := Refresh(t.Context(), http.DefaultClient, host, "eu-west-1", []byte(someRows))
	require.NoError(t, err)
	assert.Equal(t, `# a note that stays
region,service,item,unit,price,currency,as_of,source
aws,kms,key,month,1,USD,2026-09-29,terratofu
eu-west-1,data,out to the internet,GB,0.09,USD,2026-12-01,aws
eu-west-1,ec2,m6i.xlarge,hour,0.214,USD,2026-12-01,aws
eu-west-1,elb,application load balancer,hour,0.0252,USD,2026-12-01,aws
eu-west-1,elb,network load balancer,hour,0.028,USD,2026-12-01,aws
eu-west-1,secretsmanager,requests,"10,000 requests",0.05,USD,2026-12-01,aws
eu-west-1,vpc,NAT gateway,hour,0.048,USD,2026-12-01,aws
us-east-1,ec2,m6i.xlarge,hour,0.192,USD,2025-04-24,vantage
`, string(fresh))
	assert.Contains(t, differences, "eu-west-1 ec2 m6i.xlarge: 0.214 instead of 0.2")
	assert.Contains(t, differences, "eu-west-1 vpc NAT gateway: new, 0.048")
}

func TestRefreshReadsTheClassesOfEachEngine(t *testing.T) {
	columns := `"SKU","TermType","StartingRange","PricePerUnit","Currency","Instance Type","Database Engine","Database Edition","License Model","Deployment Option","usageType"`
	host := priceList(t, map[string]string{"AmazonRDS": lines(columns,
		`"A","OnDemand","0","0.176","USD","db.m6g.large","PostgreSQL","","No license required","Single-AZ","EU-InstanceUsage:db.m6g.large"`,
		`"B","OnDemand","0","0.352","USD","db.m6g.large","PostgreSQL","","No license required","Multi-AZ","EU-Multi-AZUsage:db.m6g.large"`,
		`"C","OnDemand","0","0.3","USD","db.t3.large","Oracle","Standard Two","License included","Single-AZ","EU-InstanceUsage:db.t3.large"`,
		`"D","OnDemand","0","0.1","USD","db.t3.large","Oracle","Standard Two","Bring your own license","Single-AZ","EU-InstanceUsage:db.t3.large"`,
		`"E","OnDemand","0","0.9","USD","db.m6i.xl","SQL Server","Standard","License included","Single-AZ","EU-InstanceUsage:db.m6i.xl"`)})
	fresh, _, err := Refresh(t.Context(), http.DefaultClient, host, "eu-west-1", []byte(someRows))
	require.NoError(t, err)
	for _, want := range []string{"rds,db.m6g.large postgres,hour,0.176,", "rds,db.t3.large oracle-se2,hour,0.3,", "rds,db.m6i.xl sqlserver-se,hour,0.9,"} {
		assert.Contains(t, string(fresh), want)
	}
}

func TestRefreshRefusesWhatIsNotOnePrice(t *testing.T) {
	host := priceList(t, map[string]string{"AmazonEC2": lines(ec2Columns,
		`"A","OnDemand","","0","Hrs","0.048","USD","","","","","","EU-NatGateway-Hours","a"`,
		`"B","OnDemand","","0","Hrs","0.050","USD","","","","","","EU-NatGateway-Hours","b"`)})
	_, _, err := Refresh(t.Context(), http.DefaultClient, host, "eu-west-1", []byte(someRows))
	require.ErrorContains(t, err, "AmazonEC2 in eu-west-1: NAT gateway has two prices, 0.048 and 0.05")

	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	_, _, err = Refresh(t.Context(), http.DefaultClient, server.URL+"/offers/v1.0/aws/", "eu-west-1", []byte(someRows))
	require.ErrorContains(t, err, "answers 404")
}

func TestTheFileIsWrittenAsItIsRead(t *testing.T) {
	rows, err := parse(file)
	require.NoError(t, err)
	again, err := format(file, rows)
	require.NoError(t, err)
	assert.Equal(t, string(file), string(again), "a refresh that changes nothing leaves the file as it is")
}

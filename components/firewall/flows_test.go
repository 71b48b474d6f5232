package firewall_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wso2is-aws/wso2is/components/firewall"
	"github.com/wso2is-aws/wso2is/config/configtest"
)

// Names of flows are parts of URNs: another name would close the connection and open it again.
func TestWaysOutKeepTheirNamesByRangeAndPort(t *testing.T) {
	outside := func(entries ...any) map[string][]string {
		c := configtest.Load(t, map[string]any{"network": map[string]any{"egressCidrs": entries}}).Cluster
		found := map[string][]string{}
		for _, f := range firewall.Flows(c) {
			if f.To == firewall.Outside {
				assert.Equal(t, f.First, f.Last)
				assert.Equal(t, firewall.Nodes, f.From)
				assert.Equal(t, firewall.TCP, f.Protocol)
				assert.Equal(t, f.First == 443, !strings.Contains(f.Name, "-"))
				found[f.Name] = f.CIDRs
			}
		}
		return found
	}
	mail := map[string]any{"cidr": "198.51.100.0/24", "ports": []int{587, 465}}
	plain := map[string][]string{"outside": {"203.0.113.0/24"}}
	assert.Equal(t, plain, outside("203.0.113.0/24"))
	assert.Equal(t, plain, outside(map[string]any{"cidr": "203.0.113.0/24"}))
	want := map[string][]string{"outside": {"203.0.113.0/24"}, "outside-465": {"198.51.100.0/24"}, "outside-587": {"198.51.100.0/24"}}
	assert.Equal(t, want, outside("203.0.113.0/24", mail))
	assert.Equal(t, want, outside(mail, "203.0.113.0/24"))
}

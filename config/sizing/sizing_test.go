package sizing_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/config/product"
	"github.com/wso2is-aws/wso2is/config/sizing"
)

const (
	clientCredentials = "Client Credentials Grant Type"
	consent           = "OIDC Auth Code Grant Redirect With Consent"
)

func TestFiguresCountForTheReleaseOrTheOneBeforeIt(t *testing.T) {
	for v, want := range map[product.Version]product.Version{
		product.V7_0_0: "7.1.0", product.V7_1_0: "7.1.0", product.V7_2_0: "7.2.0", product.V7_3_0: "7.2.0",
	} {
		assert.Equal(t, want, sizing.Release(v), v)
	}
}

// TestTheSmallestNumberHoldsTheLoadWithOneNodeMoreToo reads WSO2's tables of 7.2.0. With consent and 2,000 users, one
// node needed 5,550 ms and two needed 142 ms. With client credentials and 100 users, one node needed 165 ms, two 198
// ms, three 148 ms and four 102 ms.
func TestTheSmallestNumberHoldsTheLoadWithOneNodeMoreToo(t *testing.T) {
	for name, c := range map[string]struct {
		scenarios  []string
		users, p95 int
		nodes      int
	}{
		"one":                      {[]string{consent}, 500, 60, 1},
		"two":                      {[]string{consent}, 2000, 150, 2},
		"the next published level": {[]string{consent}, 1501, 150, 2},
		"a second node is slower":  {[]string{clientCredentials}, 100, 170, 3},
		"the slower one decides":   {[]string{consent, clientCredentials}, 100, 170, 3},
		"as many as were measured": {[]string{clientCredentials}, 100, 102, 4},
		"not within":               {[]string{clientCredentials}, 100, 101, 0},
		"more users than measured": {[]string{consent}, 3001, 60000, 0},
	} {
		assert.Equal(t, c.nodes, sizing.Holds(product.V7_2_0, c.scenarios, c.users, c.p95), name)
	}
	p95, nodes := sizing.Fastest(product.V7_2_0, []string{clientCredentials}, 100)
	assert.Equal(t, []int{102, 4}, []int{p95, nodes})
}

// TestMoreLoadNeverNeedsFewerNodes checks for each scenario that fewer milliseconds or more users never need fewer nodes.
func TestMoreLoadNeverNeedsFewerNodes(t *testing.T) {
	for _, v := range []product.Version{product.V7_1_0, product.V7_2_0} {
		require.NotEmpty(t, sizing.Scenarios(v))
		for _, s := range sizing.Scenarios(v) {
			for _, users := range sizing.Levels(v, s) {
				times, level := sizing.Measured(v, s, users)
				require.Equal(t, users, level)
				require.NotEmpty(t, times, "%s %s %d", v, s, users)
				before := 5
				for p95 := 10; p95 < 100000; p95 *= 2 {
					nodes := sizing.Holds(v, []string{s}, users, p95)
					if nodes == 0 {
						assert.Equal(t, 5, before, "%s %s: %d users were held within less than %d ms", v, s, users, p95)
						continue
					}
					assert.LessOrEqual(t, nodes, before)
					assert.LessOrEqual(t, times[nodes], p95)
					before = nodes
				}
			}
		}
	}
}

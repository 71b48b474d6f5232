package config_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/config/configtest"
)

func TestUsageIsCompletedAndMayBeNothing(t *testing.T) {
	c := configtest.Load(t, object{"usage": object{"dataOut": 0, "logs": 250}}).Cluster
	amounts := c.Usage.Amounts()
	assert.Equal(t, 0, amounts["dataOut"])
	assert.Equal(t, 250, amounts["logs"])
	assert.Equal(t, 100, amounts["controlPlaneLogs"], "a figure that the stack file leaves out")
	require.Len(t, amounts, 17)
}

func TestRefusesUsage(t *testing.T) {
	_, err := configtest.TryLoad(object{"usage": object{"natData": -1}})
	require.ErrorContains(t, err, "wso2is:usage.natData")
	_, err = configtest.TryLoad(object{"usage": object{"gigabytes": 1}})
	require.ErrorContains(t, err, "wso2is:usage.gigabytes")
}

package fault

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/cloud"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// A generated key has another fingerprint in each run. The rest of a manifest is compared.
func TestManifestsAreComparedWithoutTheFingerprintOfAGeneratedKey(t *testing.T) {
	taken := func(sum, print, tag string) snapshot {
		key := sum + "/manifest.json"
		p, err := snapshotOf([]byte(`{"version": 3, "deployment": {"resources": []}}`), cloud.Snapshot{Resources: []cloud.Resource{{
			Token: state.BucketObject, ID: key, URN: "urn:manifest",
			Inputs:  cloud.Object{"key": key, "content": fmt.Sprintf(`{"encryptionKey": "pbkdf2-sha256$600000$aa$%s", "tag": "%s"}`, print, tag)},
			Outputs: cloud.Object{"etag": "etag" + sum, "versionId": "version" + sum, "key": key},
		}, {
			Token: state.BackupPlan, ID: "plan", Inputs: cloud.Object{"rules": []any{cloud.Object{"recoveryPointTags": cloud.Object{"manifest": "s3://b/" + key}}}},
		}}})
		require.NoError(t, err)
		return p
	}
	assert.Empty(t, taken("11", "0a", "x").differences(taken("22", "0b", "x")))
	assert.NotEmpty(t, taken("11", "0a", "x").differences(taken("22", "0b", "y")))
}

package drill

import (
	"archive/zip"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/drill/plan"
)

// packed is an archive with files.
func packed(t *testing.T, files map[string]string) string {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "product.zip"))
	require.NoError(t, err)
	all := zip.NewWriter(file)
	for name, content := range files {
		header := &zip.FileHeader{Name: name}
		header.SetMode(0o755)
		w, err := all.CreateHeader(header)
		require.NoError(t, err)
		_, err = w.Write([]byte(content))
		require.NoError(t, err)
	}
	require.NoError(t, all.Close())
	require.NoError(t, file.Close())
	return file.Name()
}

func TestOnlyTheReleaseOfTheStackRuns(t *testing.T) {
	p := &plan.Plan{Version: "7.1.0", Nodes: []plan.Node{{}}}
	right := packed(t, map[string]string{"wso2is-7.1.0/bin/wso2server.sh": ""})
	found, err := productFor(p, right)
	require.NoError(t, err)
	require.Equal(t, right, found)
	found, err = productFor(p, "")
	require.NoError(t, err)
	require.Empty(t, found, "a stand-in")

	other := packed(t, map[string]string{"wso2is-7.0.0/bin/wso2server.sh": ""})
	for archive, says := range map[string]string{
		other:                        "holds wso2is-7.0.0 and no wso2is-7.1.0/bin/wso2server.sh: the stack runs release 7.1.0; give the archive wso2is-7.1.0.zip, or set wso2is:version",
		packed(t, nil):               "holds nothing",
		filepath.Join(right, "none"): "no archive that opens: give the path of wso2is-7.1.0.zip",
	} {
		_, err := productFor(p, archive)
		require.ErrorContains(t, err, says)
	}
	p.Nodes[0].Task = &plan.Task{}
	_, err = productFor(p, right)
	require.ErrorContains(t, err, "the stack's nodes are containers, whose image has the product: leave it out, or drill a stack of topology ec2")
}

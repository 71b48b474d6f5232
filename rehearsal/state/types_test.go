package state_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

func TestWordsAreWhatPeopleCallAType(t *testing.T) {
	for token, want := range map[string]string{
		state.DBInstance:                    "RDS instance",
		state.LaunchTemplate:                "launch template",
		state.BucketPublicAccessBlock:       "bucket public access block",
		state.BucketEncryption:              "bucket server side encryption configuration",
		state.PodDisruptionBudget:           "PodDisruptionBudget",
		"aws:cloudfront/cache:CachePolicy":  "cache policy",
		"kubernetes:example.com/v1:Greeter": "Greeter",
	} {
		assert.Equal(t, want, state.Words(token), token)
	}
	assert.True(t, state.TraitsOf(state.FileSystem).HoldsData)
	assert.Zero(t, state.TraitsOf("aws:cloudfront/cache:CachePolicy"))
}

// resourceType matches the token of a resource of AWS or Kubernetes. The last part of a data source's token begins with
// a verb.
var resourceType = regexp.MustCompile(`^(?:aws:\w+/\w+|kubernetes:[\w.-]+/\w+):[A-Z]\w*$`)

// simulated are types that the offline cloud starts itself, with its own tokens.
var simulated = map[string]bool{"aws:ecs/task:Task": true, "kubernetes:core/v1:Pod": true}

// TestTypesAreNamedInOnePlace checks that no other package of the rehearsal spells a token.
func TestTypesAreNamedInOnePlace(t *testing.T) {
	files := 0
	require.NoError(t, filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "state" || entry.Name() == "apiserver"): // apiserver is a separate module
			return filepath.SkipDir
		case entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		files++
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, 0)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				text, err := strconv.Unquote(lit.Value)
				require.NoError(t, err)
				assert.False(t, resourceType.MatchString(text) && !simulated[text],
					"%s spells %s: name it in rehearsal/state/types.go", set.Position(lit.Pos()), text)
			}
			return true
		})
		return nil
	}))
	assert.Greater(t, files, 50)
}

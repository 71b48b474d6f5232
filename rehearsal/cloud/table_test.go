package cloud

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

const sdkModule = "github.com/pulumi/pulumi-aws/sdk/v6"

// sdk reads the source of the program's SDK: its tokens, and the inputs and outputs of each.
type sdk struct {
	dir   string
	files *token.FileSet
	// types are the fields of a package's structs by Pulumi name, and the struct type of each.
	types map[string]map[string]map[string]string
}

func openSDK(t *testing.T) *sdk {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", sdkModule).Output()
	require.NoError(t, err, "finding the SDK's source")
	return &sdk{
		dir: filepath.Join(strings.TrimSpace(string(out)), "go", "aws"), files: token.NewFileSet(),
		types: map[string]map[string]map[string]string{},
	}
}

// fields returns the pulumi-tagged fields of a struct in a file of the package.
func (s *sdk) fields(t *testing.T, file, name string) map[string]string {
	t.Helper()
	known, ok := s.types[file]
	if !ok {
		known = map[string]map[string]string{}
		parsed, err := parser.ParseFile(s.files, file, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, d := range parsed.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range g.Specs {
				ts, ok := spec.(*ast.TypeSpec)
				if !ok {
					continue
				}
				st, ok := ts.Type.(*ast.StructType)
				if !ok {
					continue
				}
				of := map[string]string{}
				for _, f := range st.Fields.List {
					if f.Tag == nil {
						continue
					}
					if name := reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get("pulumi"); name != "" {
						of[name] = typeName(f.Type)
					}
				}
				known[ts.Name.Name] = of
			}
		}
		s.types[file] = known
	}
	return known[name]
}

func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return typeName(e.X)
	case *ast.ArrayType:
		return typeName(e.Elt)
	case *ast.Ident:
		return e.Name
	}
	return ""
}

// source returns the file and the Go name of a token.
func source(typeToken string) (string, string) {
	parts := strings.Split(typeToken, ":")
	return filepath.FromSlash(parts[1]) + ".go", parts[2]
}

func TestEveryTokenAndInputExistsInTheSDK(t *testing.T) {
	s := openSDK(t)
	for _, name := range Types() {
		if strings.HasPrefix(name, "kubernetes:") || name == state.RecoveryPoint {
			continue // another test compares these with Kubernetes' own types, and no program registers a recovery point
		}
		row := table[name]
		file, goName := source(name)
		at := filepath.Join(s.dir, file)
		inputs := s.fields(t, at, strings.ToLower(goName[:1])+goName[1:]+"Args")
		outputs := s.fields(t, at, goName)
		if !assert.NotEmpty(t, inputs, "the SDK has no resource type %s", name) {
			continue
		}
		known := func(path string) bool {
			of := inputs
			for _, step := range strings.Split(path, ".") {
				inner, ok := of[strings.TrimSuffix(step, "[]")]
				if !ok {
					return false
				}
				of = s.nested(t, filepath.Dir(at), inner)
			}
			return true
		}
		for _, path := range row.paths() {
			assert.True(t, known(path), "%s has no input %s", name, path)
		}
		if row.Scope != "" && !known(row.Scope) {
			assert.Contains(t, outputs, row.Scope, "%s has neither an input nor an output %s", name, row.Scope)
		}
		for output := range row.Outputs {
			_, isOutput := outputs[output]
			assert.True(t, isOutput, "%s has no output %s", name, output)
		}
		for _, link := range row.Refs {
			for _, to := range link.To {
				assert.Contains(t, table, to, "%s refers to a type that has no row", name)
			}
		}
	}
}

func (s *sdk) nested(t *testing.T, dir, name string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "pulumiTypes*.go"))
	require.NoError(t, err)
	for _, f := range files {
		if of := s.fields(t, f, name); of != nil {
			return of
		}
	}
	return nil
}

// paths returns all inputs that a row names.
func (t *Type) paths() []string {
	paths := slices.Concat(t.Required, t.Replace, slices.Collect(maps.Keys(t.Defaults)),
		slices.Collect(maps.Keys(t.ReplaceWhen)))
	for _, group := range slices.Concat(t.ExactlyOne, t.AtMostOne) {
		paths = append(paths, group...)
	}
	for _, u := range t.Unique {
		paths = append(paths, u.By...)
	}
	for _, f := range t.Fields {
		paths = append(paths, f.Path)
	}
	for _, r := range t.Refs {
		paths = append(paths, r.Path)
	}
	for _, single := range []string{t.Name, t.NamePrefix, t.Protection} {
		if single != "" {
			paths = append(paths, single)
		}
	}
	if t.Tags {
		paths = append(paths, "tags")
	}
	return paths
}

func TestEveryFunctionExistsInTheSDK(t *testing.T) {
	s := openSDK(t)
	for _, name := range Functions() {
		file, goName := source(name)
		at := filepath.Join(s.dir, strings.TrimPrefix(file, "index"+string(filepath.Separator)))
		results := slices.DeleteFunc([]string{goName, "Lookup" + strings.TrimPrefix(goName, "get")}, func(n string) bool {
			return s.fields(t, at, strings.ToUpper(n[:1])+n[1:]+"Result") == nil
		})
		assert.NotEmpty(t, results, "the SDK has no function %s", name)
	}
}

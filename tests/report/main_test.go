package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const run = `{"Action":"start","Package":"p"}
{"Action":"output","Package":"p","Test":"TestA","Output":"=== RUN   TestA\n"}
{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:7: java is not installed; .ci/install installs it\n"}
{"Action":"skip","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestB","Output":"    b_test.go:1: wrong\n"}
{"Action":"%s","Package":"p","Test":"TestB"}
{"Action":"output","Package":"p","Output":"PASS\n"}
{"Action":"output","Package":"p","Output":"ok  \tp\t0.1s\n"}
{"Action":"pass","Package":"p"}
`

func TestSkippedTestsAreTold(t *testing.T) {
	file, out := filepath.Join(t.TempDir(), "skipped"), &strings.Builder{}
	for range 2 {
		require.NoError(t, report(strings.NewReader(strings.ReplaceAll(run, "%s", "pass")), file, out, time.Minute))
	}
	assert.Equal(t, strings.Repeat("ok  \tp\t0.1s\n", 2), out.String())
	out.Reset()
	require.NoError(t, tell(file, out))
	assert.Equal(t, "Skipped 2: java is not installed; .ci/install installs it\n    TestA TestA\n", out.String())
	out.Reset()
	require.NoError(t, tell(file, out))
	assert.Empty(t, out.String())
}

func TestAFailureFails(t *testing.T) {
	file, out := filepath.Join(t.TempDir(), "skipped"), &strings.Builder{}
	require.EqualError(t, report(strings.NewReader(strings.ReplaceAll(run, "%s", "fail")), file, out, time.Minute), "FAIL")
	assert.Contains(t, out.String(), "b_test.go:1: wrong")
	broken := `{"Action":"build-output","ImportPath":"p","Output":"p.go:1: syntax error\n"}` + "\n" + `{"Action":"build-fail","ImportPath":"p"}` + "\n"
	require.EqualError(t, report(strings.NewReader(broken), file, out, time.Minute), "FAIL")
	assert.Contains(t, out.String(), "syntax error")
	require.EqualError(t, report(strings.NewReader("no such module\n"), file, out, time.Minute), "no test was run")
}

// slow returns nothing for a while.
type slow struct{ once bool }

func (s *slow) Read(p []byte) (int, error) {
	if s.once {
		return strings.NewReader("").Read(p)
	}
	s.once = true
	time.Sleep(50 * time.Millisecond)
	return copy(p, `{"Action":"pass","Package":"p"}`+"\n"), nil
}

func TestALongWaitIsTold(t *testing.T) {
	out := &strings.Builder{}
	require.NoError(t, report(&slow{}, "", out, 10*time.Millisecond))
	assert.Contains(t, out.String(), "building and testing, for 0s so far")
}

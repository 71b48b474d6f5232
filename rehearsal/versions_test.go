package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/config/stackfile"
	"github.com/wso2is-aws/wso2is/rehearsal/rehearse"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

var write = flag.String("write", "", "write checkpoints into testdata/versions.json.zst: before or after")

// TestNewVersionsContinueStatesOfOlderOnes continues stacks from states that an older Pulumi wrote, with older SDKs of
// AWS and Kubernetes. There are two checkpoints of each stack. The same commit of the program wrote both: "before" with
// the versions in go.mod before they were last raised, "after" with the current versions. An update from both must have
// the same steps: the changes of the program since that commit. Besides, only the engine's records of the providers are
// updated, since they contain versions.
//
// Before versions are raised: go test . -run StatesOfOlderOnes -write before. After it, at the same commit: -write after.
func TestNewVersionsContinueStatesOfOlderOnes(t *testing.T) {
	if *write != "" {
		writeCheckpoints(t, *write)
	}
	all := readCheckpoints(t)
	for stack, before := range all["before"] {
		t.Run(stack, func(t *testing.T) {
			after := all["after"][stack]
			require.NotNil(t, after)
			assert.NotEqual(t, engineOf(before), engineOf(after), "the checkpoints show no raise of Pulumi")

			s := opened(t, stack, stackfile.Find("..", stack))
			require.NoError(t, s.Restore(after))
			changed := steps(t, s)
			require.NoError(t, s.Restore(before))
			older := slices.DeleteFunc(steps(t, s), func(step string) bool {
				return strings.HasPrefix(step, "update pulumi:providers:") && strings.HasSuffix(step, "[version]")
			})
			assert.ElementsMatch(t, changed, older, "from what older versions wrote, an update does something else")
			assert.Empty(t, endOfData(changed))
			for _, expected := range [][]optup.Option{nil, {optup.ExpectNoChanges()}} {
				_, err := s.Up(t.Context(), append(expected, optup.SuppressOutputs(), optup.SuppressProgress())...)
				require.NoError(t, err)
			}
		})
	}
}

// TestAnotherPropertyOfAnOlderVersionIsNoticed changes a state that an older version wrote.
func TestAnotherPropertyOfAnOlderVersionIsNoticed(t *testing.T) {
	s := opened(t, "fargate", stackfile.Find("..", "fargate"))
	before := readCheckpoints(t)["before"]["fargate"]
	require.NoError(t, s.Restore(before))
	clean := steps(t, s)
	for name, text := range before.State {
		before.State[name] = regexp.MustCompile(`"storageEncrypted": ?true`).ReplaceAllString(text, `"storageEncrypted":false`)
	}
	require.NoError(t, s.Restore(before))
	changed := steps(t, s)
	assert.NotEqual(t, clean, changed)
	assert.NotEmpty(t, endOfData(changed))
}

// checkpointsFile has the checkpoints before and after the versions were raised.
const checkpointsFile = "testdata/versions.json.zst"

// window is the memory of the compression: the checkpoints differ little from each other.
const window = 64 << 20

func readCheckpoints(t *testing.T) map[string]map[string]*rehearse.Checkpoint {
	t.Helper()
	packed, err := os.ReadFile(checkpointsFile)
	require.NoError(t, err)
	unpack, err := zstd.NewReader(nil, zstd.WithDecoderMaxWindow(window))
	require.NoError(t, err)
	defer unpack.Close()
	raw, err := unpack.DecodeAll(packed, nil)
	require.NoError(t, err)
	var all map[string]map[string]*rehearse.Checkpoint
	require.NoError(t, json.Unmarshal(raw, &all))
	return all
}

// writeCheckpoints brings a stack of each kind of node up and writes its checkpoint.
func writeCheckpoints(t *testing.T, when string) {
	t.Helper()
	all := readCheckpoints(t)
	all[when] = map[string]*rehearse.Checkpoint{}
	for _, stack := range []string{"prod", "fargate", "eks"} {
		s := opened(t, stack, stackfile.Find("..", stack))
		_, err := s.Up(t.Context(), optup.SuppressOutputs(), optup.SuppressProgress())
		require.NoError(t, err)
		c, err := s.Save()
		require.NoError(t, err)
		// Backups and histories of the state are not needed.
		maps.DeleteFunc(c.State, func(name, _ string) bool {
			return !strings.HasSuffix(name, "meta.yaml") && !strings.HasSuffix(name, filepath.Join("stacks", "wso2is", stack+".json"))
		})
		all[when][stack] = c
	}
	raw, err := json.Marshal(all)
	require.NoError(t, err)
	pack, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithWindowSize(window))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(checkpointsFile, pack.EncodeAll(raw, nil), 0o600))
}

var manifest = regexp.MustCompile(`"manifest": ?\{[^}]*"version": ?"([^"]*)"`)

// engineOf returns the release of Pulumi that wrote a checkpoint.
func engineOf(c *rehearse.Checkpoint) string {
	for _, text := range c.State {
		if m := manifest.FindStringSubmatch(text); m != nil {
			return m[1]
		}
	}
	return ""
}

// steps lists the steps of an update.
func steps(t *testing.T, s *rehearse.Session) []string {
	t.Helper()
	stream := make(chan events.EngineEvent)
	var all []string
	done := make(chan struct{})
	go func() {
		defer close(done)
		for e := range stream {
			if e.ResourcePreEvent == nil || e.ResourcePreEvent.Metadata.Op == apitype.OpSame {
				continue
			}
			m := e.ResourcePreEvent.Metadata
			all = append(all, fmt.Sprintf("%s %s %s %v", m.Op, m.Type, state.NameOf(m.URN), slices.Sorted(slices.Values(m.Diffs))))
		}
	}()
	_, err := s.Preview(context.WithoutCancel(t.Context()), optpreview.EventStreams(stream), optpreview.SuppressProgress())
	require.NoError(t, err) // of one that fails, the stream stays open
	<-done
	slices.Sort(all)
	return all
}

// endOfData lists the steps that delete resources with data.
func endOfData(steps []string) []string {
	var all []string
	for _, step := range steps {
		words := strings.Fields(step)
		if (strings.HasPrefix(words[0], "delete") || strings.Contains(words[0], "replace")) && state.TraitsOf(words[1]).HoldsData {
			all = append(all, step)
		}
	}
	return all
}

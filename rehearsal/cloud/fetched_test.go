package cloud

import (
	"encoding/base64"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

func starting(key, content string) string {
	return base64.StdEncoding.EncodeToString([]byte("#!/bin/bash\nBUCKET=wso2is-dev-files\nFILES=(\n\t'" + key + "|" +
		sumOf(content) + "|conf')\n"))
}

// withFile is a group with a template that names an object by its checksum.
func withFile(t *testing.T, key string) (w *world, object, template Object) {
	t.Helper()
	w = network(t)
	w.create(state.Bucket, "config", Object{"bucket": "wso2is-dev-files", "forceDestroy": true})
	object = Object{"bucket": "wso2is-dev-files", "key": key, "content": "one"}
	w.create(state.BucketObject, "file", object)
	template = Object{"name": "pinned", "imageId": "ami-0123456789abcdef0", "instanceType": "m6i.xlarge",
		"userData": starting(key, "one")}
	w.create(state.LaunchTemplate, "pinned", template)
	w.create(state.AutoScalingGroup, "pinned-group", Object{"name": "pinned-group", "minSize": 1.0, "maxSize": 1.0,
		"launchTemplate": Object{"id": w.ids["pinned"], "version": "1"}, "vpcZoneIdentifiers": []any{w.ids["a"]}})
	return w, object, template
}

func TestAFileThatIsStillFetchedCannotBeOverwritten(t *testing.T) {
	w, object, _ := withFile(t, "nodes/all/deployment.toml")
	object["content"] = "two"
	_, err := w.Update(state.BucketObject, w.ids["file"], object, object, nil, false)
	require.ErrorContains(t, err, "is overwritten while ")
	require.ErrorContains(t, err, "at a scale-out or a rollback would fail at the checksum")
	_, err = w.try(state.BucketObject, "file", object)
	require.ErrorContains(t, err, "is overwritten while ")
	require.ErrorContains(t, w.Delete(state.BucketObject, w.ids["file"], object), "is deleted while ")
}

func TestAnEarlierVersionsFileIsStillFetched(t *testing.T) {
	w, old, template := withFile(t, "nodes/all/1/deployment.toml")
	next := maps.Clone(old)
	next["key"], next["content"] = "nodes/all/2/deployment.toml", "two"
	w.create(state.BucketObject, "next", next)
	template["userData"] = starting("nodes/all/2/deployment.toml", "two")
	_, err := w.Update(state.LaunchTemplate, w.ids["pinned"], nil, template, nil, false)
	require.NoError(t, err)
	require.ErrorContains(t, w.Delete(state.BucketObject, w.ids["file"], old), "a version of ec2 LaunchTemplate")
	// The same content is the same object, as after a change is reverted.
	_, err = w.try(state.BucketObject, "file", old)
	require.NoError(t, err)

	require.NoError(t, w.Delete(state.AutoScalingGroup, w.ids["pinned-group"], nil))
	require.NoError(t, w.Delete(state.BucketObject, w.ids["file"], old), "nothing starts from it any more")
}

func TestNothingStartsWithoutItsFiles(t *testing.T) {
	w, old, template := withFile(t, "nodes/all/1/deployment.toml")
	group := Object{"name": "late", "minSize": 1.0, "maxSize": 1.0, "vpcZoneIdentifiers": []any{w.ids["a"]}}
	for data, want := range map[string]string{
		starting("nodes/all/2/deployment.toml", "one"): "and there is no such object",
		starting("nodes/all/1/deployment.toml", "two"): "and the object has another one",
	} {
		template["name"], template["userData"] = "late", data
		made, err := w.try(state.LaunchTemplate, "late", template)
		require.NoError(t, err)
		group["launchTemplate"] = Object{"id": made.ID}
		w.refuses(t, state.AutoScalingGroup, group, want)
		require.NoError(t, w.Delete(state.LaunchTemplate, made.ID, nil))
	}
	require.NoError(t, w.Delete(state.AutoScalingGroup, w.ids["pinned-group"], nil))
	require.NoError(t, w.Delete(state.Bucket, w.ids["config"], nil))
	assert.Nil(t, w.fileAt("wso2is-dev-files", text(old, "key")), "a bucket that may be destroyed takes its objects along")
}

func TestAnEarlierRevisionStaysWithItsFiles(t *testing.T) {
	w := ecsWorld(t)
	w.create(state.Bucket, "config", Object{"bucket": "wso2is-dev-files"})
	file := Object{"bucket": "wso2is-dev-files", "key": "lib/1/x.java", "content": "one"}
	w.create(state.BucketObject, "file", file)
	line := "s3://wso2is-dev-files/lib/1/x.java|" + sumOf("one") + "|/opt/x.java"
	pinned := func(line string) Object {
		return hostTask(w, Object{"family": "pinned", "skipDestroy": true, "containerDefinitions": containersOf(Object{
			"environment": []any{Object{"name": "WSO2IS_FILES", "value": "\n" + line}},
		})})
	}
	first, err := w.try(state.TaskDefinition, "pinned", pinned(line))
	require.NoError(t, err)
	w.create(state.ECSService, "pinned", hostService(w, Object{"name": "pinned", "desiredCount": 1.0, "taskDefinition": text(first.Outputs, "arn")}))
	require.NoError(t, w.Delete(state.TaskDefinition, first.ID, first.Outputs))
	found, err := w.Read(state.TaskDefinition, first.ID, first.Outputs)
	require.NoError(t, err)
	require.NotNil(t, found, "skipDestroy leaves the revision")
	require.ErrorContains(t, w.Delete(state.BucketObject, w.ids["file"], file), "a revision of ecs TaskDefinition")
	late := pinned(strings.ReplaceAll(line, "lib/1", "lib/2"))
	late["family"] = "late"
	missing, err := w.try(state.TaskDefinition, "missing", late)
	require.NoError(t, err)
	w.refuses(t, state.ECSService, hostService(w, Object{"name": "late", "taskDefinition": text(missing.Outputs, "arn")}),
		"and there is no such object")
}

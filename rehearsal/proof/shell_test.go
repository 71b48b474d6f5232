package proof

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCallsAreReadFromShell(t *testing.T) {
	s, err := readScript(`#!/bin/bash
GROUP=nodes
FILES=(
	's3://files/a|0123|/a')
read_secret() { value=$(aws secretsmanager get-secret-value --secret-id "$1" --output text) || value=; }
finish() {
	retry aws autoscaling complete-lifecycle-action --auto-scaling-group-name "$GROUP" --instance-id "$(id)" \
		--lifecycle-action-result CONTINUE
}
echo "aws is a word here" aws
case $1 in
s3://*) aws s3 cp --only-show-errors "$1" "$2" ;;
esac
aws cloudwatch put-metric-data --region "$REGION" --namespace WSO2IS
`, map[string]string{"REGION": "eu-west-1"})
	require.NoError(t, err)
	assert.Equal(t, []command{
		{"secretsmanager", "get-secret-value", map[string]string{"--secret-id": "", "--output": "text"}, nil},
		{"autoscaling", "complete-lifecycle-action", map[string]string{
			"--auto-scaling-group-name": "nodes", "--instance-id": "", "--lifecycle-action-result": "CONTINUE",
		}, nil},
		{"s3", "cp", map[string]string{"--only-show-errors": ""}, []string{""}},
		{"cloudwatch", "put-metric-data", map[string]string{"--region": "eu-west-1", "--namespace": "WSO2IS"}, nil},
	}, s.commands)
	assert.Contains(t, s.values, "s3://files/a|0123|/a")
	_, err = readScript("if true; then", nil)
	require.Error(t, err)
}

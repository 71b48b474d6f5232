package config

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestEveryTopologyRowIsComplete checks each row: a row without a function would panic for the first stack of
// its topology.
//
//guide:scheme
func TestEveryTopologyRowIsComplete(t *testing.T) {
	for _, row := range topologies() {
		t.Run(string(row.name), func(t *testing.T) {
			assert.NotEmpty(t, row.schemes, "nodes have to find each other")
			assert.NotNil(t, row.size)
			assert.NotNil(t, row.nodes)
			assert.NotNil(t, row.capacity)
			hasKey := row.options != nil
			assert.Equal(t, hasKey, row.fill != nil, "fill completes the options")
			assert.Equal(t, hasKey, row.validate != nil, "validate checks the options")
			assert.Equal(t, hasKey, row.what != "", "what tells what the options are for")
		})
	}
}

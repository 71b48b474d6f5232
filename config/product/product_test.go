package product_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/config/engine"
	"github.com/wso2is-aws/wso2is/config/product"
)

func TestVersionsAreOldestFirst(t *testing.T) {
	versions := product.Versions()
	require.Equal(t, product.V5_11_0, versions[0])
	require.True(t, slices.IsSortedFunc(versions, func(a, b product.Version) int {
		if a.AtLeast(b) {
			return 1
		}
		return -1
	}))
	require.True(t, product.V7_1_0.AtLeast(product.V7_0_0))
	require.True(t, product.Version("7.10.0").AtLeast(product.V7_2_0), "numbers are compared, not text")
	require.False(t, product.V6_1_0.AtLeast(product.V7_0_0))
}

//guide:jdk
func TestFactsAreComplete(t *testing.T) {
	for _, v := range product.Versions() {
		f, err := v.Facts()
		require.NoError(t, err)
		require.NotEmpty(t, f.Kernel, v)
		require.NotEmpty(t, f.Hazelcast, v)
		require.Contains(t, f.Tested.JDKs, f.JDK, "%s runs on a JDK that WSO2 does not test it on", v)
		require.GreaterOrEqual(t, f.JDK, 11, "%s: the schema program is launched from its source, which takes Java 11", v)
		for name := range f.Tested.Engines {
			require.Contains(t, engine.Names(), engine.Name(name), "%s is tested on an engine that the program does not know", v)
		}
		require.Contains(t, []product.KeystoreFormat{product.JKS, product.PKCS12}, f.Keystore, v)
		require.Contains(t, f.EncryptionKeyBytes, 16, "%s: a cluster must be able to keep its key", v)
	}
}

// TestDifferencesBetweenReleases checks the differences that decide whether a cluster forms.
func TestDifferencesBetweenReleases(t *testing.T) {
	for _, v := range product.Versions() {
		f, err := v.Facts()
		require.NoError(t, err)
		require.Equal(t, v == product.V6_0_0 || v == product.V6_1_0, f.HazelcastAWSKeys, v)
		require.Equal(t, v.AtLeast(product.V7_2_0), f.AgentIdentity, v)
		require.Equal(t, v == product.V5_11_0, f.KubernetesSchemeJar, v)
		require.Equal(t, v.AtLeast(product.V7_0_0) || v == product.V5_11_0, f.KubernetesAPIProperties, v)
		require.Equal(t, v.AtLeast(product.V7_0_0), f.IMDSv2, v)
		require.Equal(t, v.AtLeast(product.V7_1_0), slices.Contains(f.EncryptionKeyBytes, 32), v)
		require.Equal(t, v.AtLeast(product.V7_1_0), f.RotatesEncryptionKey, v)
		require.Equal(t, v.AtLeast(product.V7_3_0), f.ReadsValidationQueryInference, v)
	}
}

func TestUnknownRelease(t *testing.T) {
	_, err := product.Version("4.7.0").Facts()
	require.EqualError(t, err, `"4.7.0" is not a supported release; write one of 5.11.0, 6.0.0, 6.1.0, 7.0.0, `+
		`7.1.0, 7.2.0, 7.3.0`)
}

package engine_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/config/engine"
	"github.com/wso2is-aws/wso2is/config/product"
)

func TestFactsAreComplete(t *testing.T) {
	require.Contains(t, engine.Names(), engine.Default)
	for _, name := range engine.Names() {
		f := name.Facts()
		require.NotZero(t, f.Port, name)
		require.Contains(t, f.Versions(), f.Version, "%s: the default release is not offered", name)
		require.NotEmpty(t, f.LogExports, name)
		require.NotEmpty(t, f.Parameters, name)
		require.NotEmpty(t, f.Reserved, name)
		require.Equal(t, f.OneDatabase == "", f.CharacterSet == "", "%s: only one database has a character set of its own", name)
		require.Regexp(t, `^[a-z0-9]+\.sql$`, f.Script, name)
		require.NotEmpty(t, f.Driver.Class, name)
		require.Regexp(t, `\.jar$`, f.Driver.Jar, name)
		require.Regexp(t, `^[0-9a-f]{64}$`, f.Driver.SHA256, name)
		require.NotEmpty(t, f.ValidationQuery, name)
		for _, class := range []string{f.DevClass, f.ProdClass} {
			require.Regexp(t, `^db\.`, class, name)
			if !f.ARM {
				require.NotRegexp(t, `^db\.[a-z]+\d+g`, class, "%s does not run on Arm processors", name)
			}
		}
		url := f.URL("host.example.com", f.Port, "data", "")
		require.Regexp(t, `^jdbc:[a-z:]+@?//host\.example\.com:\d+[/;]`, url, name)
		verified := f.URL("host.example.com", f.Port, "data", "/ca.pem")
		require.Equal(t, f.Unverifiable == "", url != verified, "%s: whether the certificate can be verified", name)
		require.NotContains(t, f.Timeouts(10, 0), "=0", "%s: no limit is left out, since 0 may mean at once", name)
	}
}

// The default is a release that WSO2 tests, if RDS offers one.
func defaultVersion(name engine.Name, release product.Version) string {
	return name.Facts().DefaultVersion(name.Tested(release))
}

func TestDefaultVersionIsTestedWhereRDSOffersOne(t *testing.T) {
	require.Equal(t, "16", defaultVersion(engine.Postgres, product.V7_1_0), "the engine's own default is tested")
	require.Equal(t, "16.00", defaultVersion(engine.SQLServer, product.V7_0_0), "the newest that is tested and offered")
	require.Equal(t, "16", defaultVersion(engine.Postgres, product.V6_1_0), "the newest that is tested ends within half a year")
	require.Equal(t, "8.4", defaultVersion(engine.MySQL, product.V7_0_0), "the newest that is tested has ended")
	require.Equal(t, "10.11", defaultVersion(engine.MariaDB, product.V7_0_0), "none is tested")
	require.Equal(t, "10.11", defaultVersion(engine.MariaDB, product.V5_11_0), "none that is tested is offered")
}

func TestReservedNamesAreThoseOfAllEngines(t *testing.T) {
	names := engine.ReservedNames()
	require.Subset(t, names, []string{"postgres", "mysql", "master", "system"})
}

package proof

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestEachDriverHasNamesAndUnitsOfItsOwn(t *testing.T) {
	for address, want := range map[string]limits{
		"jdbc:postgresql://h:5432/d?sslmode=require&amp;connectTimeout=10&amp;tcpKeepAlive=true&amp;socketTimeout=60": {10, 60, true},
		"jdbc:mysql://h:3306/d?sslMode=REQUIRED&connectTimeout=10000&tcpKeepAlive=true&socketTimeout=60000":           {10, 60, true},
		"jdbc:mariadb://h:3306/d?sslMode=trust&connectTimeout=10&socketTimeout=60":                                    {0, 0, false},
		"jdbc:sqlserver://h:1433;databaseName=d;loginTimeout=10;socketTimeout=60000":                                  {10, 60, true},
		"jdbc:sqlserver://h:1433;databaseName=d":                                                                      {0, 0, true},
		"jdbc:oracle:thin:@//h:1521/ORCL":                                                                             {10, 60, true},
	} {
		assert.Equal(t, want, limitsOf(address,
			"oracle.net.CONNECT_TIMEOUT=10000;oracle.net.keepAlive=true;oracle.jdbc.ReadTimeout=60000"), address)
	}
}

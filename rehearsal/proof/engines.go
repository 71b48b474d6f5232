package proof

import "strings"

// databaseEngine has the proofs' facts of a database engine.
type databaseEngine struct {
	// rds is the prefix of the engine's name in RDS.
	rds string
	// file is the engine's name in a stack file, where it is another.
	file string
	// port is the engine's own, for a database without one in the state.
	port int
	// extended says that RDS Extended Support can be declined (RDS, CreateDBInstance, EngineLifecycleSupport).
	extended bool
	// jdbc is the prefix of the URLs of the engine's driver.
	jdbc string
	// limits reads the driver's settings. In reads one of them, in whole seconds, from a unit given as its number per
	// second.
	limits func(given map[string]string, in func(key string, unit int) int) limits
}

var databaseEngines = []databaseEngine{
	{
		rds: "postgres", port: 5432, extended: true, jdbc: "jdbc:postgresql:",
		limits: func(given map[string]string, in func(string, int) int) limits {
			return limits{in("connectTimeout", 1), in("socketTimeout", 1), given["tcpKeepAlive"] == "true"}
		},
	},
	{rds: "mysql", port: 3306, extended: true, jdbc: "jdbc:mysql:", limits: mysqlLimits},
	{rds: "mariadb", port: 3306, jdbc: "jdbc:mariadb:", limits: mysqlLimits},
	{
		rds: "sqlserver", file: "mssql", port: 1433, jdbc: "jdbc:sqlserver:",
		limits: func(_ map[string]string, in func(string, int) int) limits {
			return limits{in("loginTimeout", 1), in("socketTimeout", 1000), true} // the driver keeps connections alive by default
		},
	},
	{
		rds: "oracle", port: 1521, jdbc: "jdbc:oracle:",
		limits: func(given map[string]string, in func(string, int) int) limits {
			return limits{in("oracle.net.CONNECT_TIMEOUT", 1000), in("oracle.jdbc.ReadTimeout", 1000),
				given["oracle.net.keepAlive"] == "true"}
		},
	},
}

func mysqlLimits(given map[string]string, in func(string, int) int) limits {
	return limits{in("connectTimeout", 1000), in("socketTimeout", 1000), given["tcpKeepAlive"] == "true"}
}

// engineOf finds an engine by its name in RDS or in a stack file. It is empty for a name that is not known.
func engineOf(name string) databaseEngine {
	name = strings.TrimPrefix(name, "aurora-")
	for _, e := range databaseEngines {
		if strings.HasPrefix(name, e.rds) || name != "" && name == e.file {
			return e
		}
	}
	return databaseEngine{}
}

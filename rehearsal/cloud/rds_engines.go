package cloud

import (
	"regexp"
	"strings"
)

// engine has RDS's facts about a database engine: its default port, the smallest storage in GiB, the longest user name,
// the reserved names, its logs, and the names of its parameter group families by major version. Database says that RDS
// makes a first database, extended that it sells Extended Support. Standbyless matches the versions without a standby.
type engine struct {
	port, storage, user int
	taken, logs         []string
	version             *regexp.Regexp
	family              func(version string) string
	database, extended  bool
	standbyless         *regexp.Regexp
	// included matches the classes on which RDS runs the engine with a license included; nil for all.
	included *regexp.Regexp
}

func numbers(n int) func(string) string {
	return func(version string) string {
		parts := strings.Split(version, ".")
		return strings.Join(parts[:min(n, len(parts))], ".")
	}
}

func oracle(edition string) engine {
	return engine{
		port: 1521, storage: 20, user: 30, taken: []string{"sys", "system", "rdsadmin"},
		logs:    []string{"alert", "audit", "listener", "trace", "oemagent"},
		version: regexp.MustCompile(`^(?:19|21)(?:\..+)?$`),
		family:  func(v string) string { return "oracle-" + edition + "-" + numbers(1)(v) }, database: true,
		included: map[string]*regexp.Regexp{"se2": standard2}[edition],
	}
}

func sqlserver(edition string) engine {
	return engine{
		port: 1433, storage: 20, user: 128, taken: []string{"rdsa", "rdsadmin", "sa"}, logs: []string{"agent", "error"},
		version: regexp.MustCompile(`^1[3-6]\.00(?:\..+)?$`),
		family: func(v string) string {
			return "sqlserver-" + edition + "-" + strings.TrimSuffix(numbers(2)(v), "0")
		},
		standbyless: map[string]*regexp.Regexp{"ex": regexp.MustCompile(""), "web": regexp.MustCompile(`^1[3-5]\.`)}[edition], included: map[string]*regexp.Regexp{"ex": burstable}[edition],
	}
}

// The lists are those of DescribeOrderableDBInstanceOptions in eu-west-1, as in cfn-lint 1.58.0.
var (
	burstable = regexp.MustCompile(`^db\.t[23]\.`)
	standard2 = regexp.MustCompile(`^db\.(?:t[23]|m[345]|m8i|r[345]|r6i|r8i)\.`)
)

var engines = map[string]engine{
	"mysql": {
		port: 3306, storage: 20, user: 16, taken: []string{"rdsadmin"}, logs: []string{"audit", "error", "general",
			"slowquery"},
		version: regexp.MustCompile(`^8\.[04](?:\.\d+)?$`), family: func(v string) string { return "mysql" + numbers(2)(v) },
		database: true, extended: true,
	},
	"mariadb": {
		port: 3306, storage: 20, user: 16, taken: []string{"rdsadmin"}, logs: []string{"audit", "error", "general",
			"slowquery"},
		version: regexp.MustCompile(`^(?:10\.(?:[4-6]|11)|11\.[48])(?:\.\d+)?$`),
		family:  func(v string) string { return "mariadb" + numbers(2)(v) }, database: true,
	},
	"postgres": {
		port: 5432, storage: 20, user: 63, taken: []string{"rdsadmin", "admin", "postgres_fdw"},
		logs:     []string{"postgresql", "upgrade", "iam-db-auth-error"},
		version:  regexp.MustCompile(`^1[1-8](?:\.\d+)?$`),
		family:   func(v string) string { return "postgres" + numbers(1)(v) },
		database: true, extended: true,
	},
	"oracle-se2": oracle("se2"), "oracle-ee": oracle("ee"), "oracle-se2-cdb": oracle("se2-cdb"),
	"oracle-ee-cdb": oracle("ee-cdb"),
	"sqlserver-ex":  sqlserver("ex"), "sqlserver-web": sqlserver("web"), "sqlserver-se": sqlserver("se"),
	"sqlserver-ee": sqlserver("ee"),
}

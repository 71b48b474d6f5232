// Package server has the stand-in of WSO2 Identity Server, and its schema scripts.
package server

import _ "embed"

// Source is the stand-in's program. It needs Hazelcast and a JDBC driver on its class path.
//
//go:embed StandIn.java
var Source string

// Scripts are the stand-in's, by how the path of the product's script ends. They make the one table that it uses, by the name
// that the product gives its own, and one that shows that a script ran.
var Scripts = map[string]string{
	"dbscripts/identity/mysql.sql":      "CREATE TABLE IDN_AUTH_SESSION_STORE (SESSION_ID VARCHAR(100) NOT NULL, PRIMARY KEY (SESSION_ID));\n",
	"dbscripts/identity/postgresql.sql": "CREATE TABLE IDN_AUTH_SESSION_STORE (SESSION_ID VARCHAR(100) NOT NULL, PRIMARY KEY (SESSION_ID));\n",
	"":                                  "CREATE TABLE STAND_IN (NAME VARCHAR(100));\n",
}

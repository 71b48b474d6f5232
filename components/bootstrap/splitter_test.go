package bootstrap

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wso2is-aws/wso2is/config/engine"
)

// split returns the schema program's statements of a script, with lines of dashes between them.
func split(t *testing.T, name engine.Name, script string) (string, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "script.sql")
	if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("java", "-cp", classes(t), "SchemaBootstrap", "split", string(name), file).CombinedOutput()
	return string(out), err
}

// TestSplitter compares with each engine's own client.
func TestSplitter(t *testing.T) {
	for name, c := range map[string]struct {
		engine engine.Name
		script string
		want   []string
	}{
		"oracle": {engine.Oracle, `SET DEFINE OFF;
CREATE TABLE REG_LOG (
    REG_LOG_ID INTEGER) -- it's a log; really
/
CREATE OR REPLACE TRIGGER REG_LOG_TRIGGER BEFORE INSERT ON REG_LOG REFERENCING NEW AS NEW FOR EACH ROW
BEGIN
    SELECT REG_LOG_SEQUENCE.nextval INTO :NEW.REG_LOG_ID FROM dual;
END;
/
/
INSERT INTO REG_LOG VALUES (q'[it's; fine]');
INSERT INTO REG_LOG VALUES (4 / 2);
DECLARE n INTEGER; BEGIN n := 1; END;
/
`, []string{
			"CREATE TABLE REG_LOG (\n    REG_LOG_ID INTEGER) -- it's a log; really",
			"CREATE OR REPLACE TRIGGER REG_LOG_TRIGGER BEFORE INSERT ON REG_LOG REFERENCING NEW AS NEW FOR EACH ROW\n" +
				"BEGIN\n    SELECT REG_LOG_SEQUENCE.nextval INTO :NEW.REG_LOG_ID FROM dual;\nEND;",
			"INSERT INTO REG_LOG VALUES (q'[it's; fine]')",
			"INSERT INTO REG_LOG VALUES (4 / 2)",
			"DECLARE n INTEGER; BEGIN n := 1; END;",
		}},
		"mssql": {engine.SQLServer, "--create table A\nIF NOT EXISTS (SELECT * FROM SYS.OBJECTS WHERE OBJECT_ID = " +
			"OBJECT_ID(N'[DBO].[A]'))\nCREATE TABLE A (ID INTEGER);\nCREATE TABLE [B;'] (ID INTEGER);\nGO\n" +
			"CREATE TRIGGER T ON A AFTER INSERT AS BEGIN SELECT 1; END\ngo\n", []string{
			"--create table A\nIF NOT EXISTS (SELECT * FROM SYS.OBJECTS WHERE OBJECT_ID = OBJECT_ID(N'[DBO].[A]'))\n" +
				"CREATE TABLE A (ID INTEGER);\nCREATE TABLE [B;'] (ID INTEGER);",
			"CREATE TRIGGER T ON A AFTER INSERT AS BEGIN SELECT 1; END",
		}},
		"mysql": {engine.MySQL, "# it's\r\nINSERT INTO A VALUES ('\\';', \"a\\\";\", `b;`, 5--1);\r\n" +
			"DELIMITER //\r\nCREATE PROCEDURE P() BEGIN SELECT 1; END//\r\nDELIMITER ;\r\n" +
			"/*!50003 SET @a = 1 */;\r\n-- end;", []string{
			"# it's\nINSERT INTO A VALUES ('\\';', \"a\\\";\", `b;`, 5--1)",
			"CREATE PROCEDURE P() BEGIN SELECT 1; END",
			"/*!50003 SET @a = 1 */",
		}},
		"postgres": {engine.Postgres, "\uFEFFCREATE FUNCTION f() RETURNS int AS $$ SELECT 1; $$ LANGUAGE sql;\n" +
			"SELECT E'\\';', 'a\\', $x$;$$;$x$, a$b$c;\n/* /* ; */ ; */ SELECT 2", []string{
			"CREATE FUNCTION f() RETURNS int AS $$ SELECT 1; $$ LANGUAGE sql",
			"SELECT E'\\';', 'a\\', $x$;$$;$x$, a$b$c",
			"/* /* ; */ ; */ SELECT 2",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := split(t, c.engine, c.script)
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			var got []string
			for _, part := range strings.Split(out, "---- line ")[1:] {
				_, statement, _ := strings.Cut(part, "\n")
				got = append(got, strings.TrimSuffix(statement, "\n"))
			}
			if strings.Join(got, "\n====\n") != strings.Join(c.want, "\n====\n") {
				t.Errorf("%s\ninstead of\n%s", strings.Join(got, "\n====\n"), strings.Join(c.want, "\n====\n"))
			}
		})
	}
	for script, want := range map[string]string{
		"SELECT 1;\nSELECT 'a;\n": "script.sql line 2: the quote ' never ends",
		"/* a":                    "line 1: the comment never ends",
		"SELECT $a$ ;":            "the quote $a$ never ends",
		"-- nothing":              "has no statement",
	} {
		if out, err := split(t, engine.Postgres, script); err == nil || !strings.Contains(out, want) {
			t.Errorf("%q gave %q", script, out)
		}
	}
}

// TestUnreachableServersByEngine checks drivers without a server here: they must accept the URL, and report the server
// as unreachable.
func TestUnreachableServersByEngine(t *testing.T) {
	for name, c := range map[engine.Name]struct{ jar, url string }{
		engine.SQLServer: {
			"mssql-jdbc-*.jar", "jdbc:sqlserver://127.0.0.1:1;databaseName={database};encrypt=true;trustServerCertificate=true",
		},
		engine.Oracle: {"ojdbc11-*.jar", "jdbc:oracle:thin:@//127.0.0.1:1/ORCL"},
	} {
		t.Run(string(name), func(t *testing.T) {
			s := &server{engine: name, jar: driver(t, c.jar), url: c.url}
			scripts := home(t, nil)
			for _, dir := range []string{"identity", "consent"} {
				file := filepath.Join(scripts, "dbscripts", dir, name.Facts().Script)
				if err := os.WriteFile(file, []byte("CREATE TABLE A (ID INTEGER)\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			s.launch(t, node{home: scripts, names: identity("wso2identity"), connect: 1}).
				finish(t, 3, "cannot connect to 127.0.0.1:1")
		})
	}
}

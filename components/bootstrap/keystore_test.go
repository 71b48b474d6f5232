package bootstrap

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestTheKeysOfARotationStay makes a node's keystore from one with several keys, in the shells of nodes and images.
func TestTheKeysOfARotationStay(t *testing.T) {
	home := filepath.Dir(filepath.Dir(tool(t, "keytool")))
	for name, c := range map[string]struct {
		keys, says []string
		fails      bool
	}{
		"one key":                      {keys: []string{"given"}, says: []string{"wso2is, ", "contains 1 entry"}},
		"a new key beside the present": {keys: []string{"wso2is", "next"}, says: []string{"wso2is, ", "next, ", "contains 2 entries"}},
		"none that signs":              {keys: []string{"old", "new"}, says: []string{"none is called wso2is"}, fails: true},
	} {
		for _, shell := range []string{"dash", "bash"} {
			t.Run(name+"/"+shell, func(t *testing.T) {
				dir := t.TempDir()
				for _, key := range c.keys {
					keytool(t, "-genkeypair", "-keystore", filepath.Join(dir, "source.p12"), "-storetype", "PKCS12", "-storepass", markerKeystore,
						"-alias", key, "-dname", "CN="+key, "-keyalg", "EC")
				}
				script := "set -eu\ndie() { echo \"$1\" >&2; exit 1; }\n" + ServerScript() + "\nmake_keystore \"$1\" \"$1/result\" PKCS12 secret\n"
				command := exec.Command(tool(t, shell), "-c", script, "x", dir)
				command.Env = append(os.Environ(), "P="+markerKeystore, "JAVA_HOME="+home)
				out, err := command.CombinedOutput()
				if c.fails != (err != nil) {
					t.Fatalf("%v\n%s", err, out)
				}
				said := string(out)
				if !c.fails {
					said = keytool(t, "-list", "-keystore", filepath.Join(dir, "result"), "-storepass", markerKeystore)
					certificate := keytool(t, "-printcert", "-file", filepath.Join(dir, "certificate.pem"))
					contains(t, "the certificate", certificate, "CN="+c.keys[0])
				}
				contains(t, "the keystore", said, c.says...)
			})
		}
	}
}

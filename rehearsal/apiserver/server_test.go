package apiserver

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"k8s.io/component-base/cli"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

// asServer makes the test binary run the API server instead of tests.
const asServer = "WSO2IS_KUBE_APISERVER"

func TestMain(m *testing.M) {
	if os.Getenv(asServer) != "" {
		os.Exit(cli.Run(app.NewAPIServerCommand()))
	}
	os.Exit(m.Run())
}

// The token of an administrator, who may do everything.
const token = "rehearsal"

// start runs etcd and the API server of the release until the test ends, and returns an administrator's client
// configuration.
func start(t *testing.T, release string) *rest.Config {
	t.Helper()
	etcd, err := exec.LookPath("etcd")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("etcd is not installed; .ci/install installs it")
		}
		t.Skip("etcd is not installed; .ci/install installs it")
	}
	directory := t.TempDir()
	clientPort, peerPort, port := freePort(t), freePort(t), freePort(t)
	clients, peers := fmt.Sprintf("http://127.0.0.1:%d", clientPort), fmt.Sprintf("http://127.0.0.1:%d", peerPort)
	run(t, directory, "etcd", exec.Command(etcd, "--data-dir", filepath.Join(directory, "etcd"),
		"--listen-client-urls", clients, "--advertise-client-urls", clients, "--listen-peer-urls", peers,
		"--initial-advertise-peer-urls", peers, "--initial-cluster", "default="+peers, "--unsafe-no-fsync"))

	key, tokens := filepath.Join(directory, "accounts.key"), filepath.Join(directory, "tokens.csv")
	writeKey(t, key)
	if err := os.WriteFile(tokens, []byte(token+",administrator,administrator,system:masters\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	server := exec.Command(self, "--etcd-servers", clients, "--bind-address", "127.0.0.1",
		"--secure-port", fmt.Sprint(port), "--cert-dir", filepath.Join(directory, "certificates"),
		"--service-cluster-ip-range", "172.20.0.0/16", "--authorization-mode", "RBAC", "--token-auth-file", tokens,
		"--service-account-issuer", "https://kubernetes.default.svc", "--service-account-key-file", key,
		"--service-account-signing-key-file", key, "--emulated-version", "kube="+release,
		// As on EKS. Without it the server refuses every privileged pod before Pod Security decides.
		"--allow-privileged")
	server.Env = append(os.Environ(), asServer+"=1")
	ended := run(t, directory, "kube-apiserver", server)

	config := &rest.Config{
		Host: fmt.Sprintf("https://127.0.0.1:%d", port), BearerToken: token, QPS: 1000, Burst: 1000,
		TLSClientConfig: rest.TLSClientConfig{Insecure: true}, // the certificate is new at each start
	}
	ready(t, config, release, ended)
	return config
}

// run starts a program and ends it with the test. If the test fails, its last output is shown. The channel is closed
// when the program ends.
func run(t *testing.T, directory, name string, command *exec.Cmd) <-chan struct{} {
	t.Helper()
	log, err := os.Create(filepath.Join(directory, name+".log"))
	if err != nil {
		t.Fatal(err)
	}
	command.Stdout, command.Stderr = log, log
	if err := command.Start(); err != nil {
		t.Fatalf("starting %s: %v", name, err)
	}
	ended := make(chan struct{})
	go func() {
		_ = command.Wait() // the log has its result
		close(ended)
	}()
	t.Cleanup(func() {
		_ = command.Process.Kill()
		<-ended
		_ = log.Close()
		if !t.Failed() {
			return
		}
		if said, err := os.ReadFile(log.Name()); err == nil {
			t.Logf("%s said last:\n%s", name, said[max(0, len(said)-2000):])
		}
	})
	return ended
}

// ready waits until the server answers, and checks its release.
func ready(t *testing.T, config *rest.Config, release string, ended <-chan struct{}) {
	t.Helper()
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(3 * time.Minute)
	for {
		_, err := client.RESTClient().Get().AbsPath("/readyz").DoRaw(context.Background())
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the API server does not come up: %v", err)
		}
		select {
		case <-ended:
			t.Fatal("the API server ended before it came up")
		case <-time.After(200 * time.Millisecond):
		}
	}
	version, err := client.ServerVersion()
	if err != nil {
		t.Fatal(err)
	}
	if got := version.EmulationMajor + "." + version.EmulationMinor; got != release {
		t.Fatalf("the API server is %s, not %s", got, release)
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

func writeKey(t *testing.T, path string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

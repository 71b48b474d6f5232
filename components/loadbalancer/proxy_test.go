package loadbalancer

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/wso2is-aws/wso2is/components/bootstrap"
	"github.com/wso2is-aws/wso2is/components/secrets"
	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/product"
)

const name = "is.example.com"

var (
	dialer       net.Dialer
	listenConfig net.ListenConfig
	quiet        = log.New(io.Discard, "", 0)
)

// place has a proxy and two nodes on addresses of the loopback network that no other process of the tests uses.
type place struct {
	dir    string
	proxy  string
	nodes  []*node
	client *http.Client
	cert   tls.Certificate
}

// node is a TLS server that answers with its name and what it was asked.
type node struct {
	name, at string
	server   *http.Server
}

func newPlace(t *testing.T) *place {
	t.Helper()
	loopback := fmt.Sprintf("127.%d.%d.", 64+os.Getpid()%128, len(t.Name())+int(time.Now().UnixNano()%100))
	p := &place{dir: t.TempDir(), proxy: loopback + "1"}
	for i := 1; i <= 2; i++ {
		p.nodes = append(p.nodes, &node{name: fmt.Sprintf("node-%d", i), at: fmt.Sprintf("%s%d", loopback, 10+i)})
	}
	cert, text := keyPair(t, name)
	p.cert = cert
	p.write(t, NodesCertificate, text)
	own, text := keyPair(t, name)
	key, err := x509.MarshalPKCS8PrivateKey(own.PrivateKey)
	require.NoError(t, err)
	keyText := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
	p.write(t, "key.pem", keyText)
	p.write(t, "certificate.pem", text)
	for _, n := range p.nodes {
		p.start(t, n, p.cert)
	}
	roots := x509.NewCertPool()
	roots.AddCert(own.Leaf)
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	p.client = &http.Client{Jar: jar, Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				_, port, _ := strings.Cut(address, ":")
				return dialer.DialContext(ctx, network, p.proxy+":"+map[string]string{"443": "8443", "80": "8080"}[port])
			}}}
	return p
}

// keyPair is a certificate as the stack makes it for nodes.
func keyPair(t *testing.T, host string) (tls.Certificate, string) {
	t.Helper()
	store, err := secrets.GenerateKeystore(host)("password")
	require.NoError(t, err)
	text, err := secrets.Certificate(store, "password")
	require.NoError(t, err)
	der, err := base64.StdEncoding.DecodeString(store)
	require.NoError(t, err)
	key, leaf, err := pkcs12.Decode(der, "password")
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}, text
}

func (p *place) write(t *testing.T, file, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(p.dir, file), []byte(text), 0o600))
}

// start serves as a node does: its health, what it was sent, and a WebSocket's change of protocol.
func (p *place) start(t *testing.T, n *node, cert tls.Certificate) {
	t.Helper()
	n.server = &http.Server{ReadHeaderTimeout: time.Second, TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12},
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){}, ErrorLog: quiet,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.URL.Path == product.HealthPath:
			case r.Header.Get("Upgrade") == "websocket" && strings.EqualFold(r.Header.Get("Connection"), "upgrade"):
				w.Header().Set("Upgrade", "websocket")
				w.Header().Set("Connection", "Upgrade")
				w.Header().Set("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") // to the key in RFC 6455's example
				w.WriteHeader(http.StatusSwitchingProtocols)
			default:
				_, _ = fmt.Fprintf(w, "%s host=%s proto=%s for=%s forwarded-host=%s sni=%s", n.name, r.Host, r.Header.Get("X-Forwarded-Proto"),
					r.Header.Get("X-Forwarded-For"), r.Header.Get("X-Forwarded-Host"), r.TLS.ServerName)
			}
		})}
	listener, err := listenConfig.Listen(t.Context(), "tcp", n.at+":9443")
	require.NoError(t, err)
	go func() { _ = n.server.ServeTLS(listener, "", "") }()
	t.Cleanup(func() { _ = n.server.Close() })
}

// files are the stack's for these nodes, with this place's directory and ports.
func (p *place) files(t *testing.T, sticky int) map[string]string {
	t.Helper()
	c := config.Cluster{Hostname: name, LoadBalancer: config.LoadBalancer{IdleTimeout: 5, Stickiness: sticky}}
	for _, n := range p.nodes {
		c.Nodes.Members = append(c.Nodes.Members, config.Member{Name: n.name, Address: n.at})
	}
	texts, err := ProxyFiles(c)
	require.NoError(t, err)
	for file, text := range texts {
		texts[file] = p.here(text)
	}
	return texts
}

// here gives a file this place's directory and ports.
func (p *place) here(text string) string {
	return strings.NewReplacer(NginxDir, p.dir, haproxyDir, p.dir, "/var/log/nginx", p.dir, "/run/nginx.pid", p.dir+"/pid",
		"listen 80 ", "listen "+p.proxy+":8080 ", "listen 443 ", "listen "+p.proxy+":8443 ", "bind :80\n", "bind "+p.proxy+":8080\n",
		"bind :443 ", "bind "+p.proxy+":8443 ", "log /dev/log local0", "log stdout format raw local0",
		fmt.Sprintf("inter %ds", healthInterval), "inter 200ms").Replace(text)
}

// program is a proxy that is installed here.
func program(t *testing.T, command string) string {
	t.Helper()
	for _, at := range []string{command, "/usr/sbin/" + command} {
		if found, err := exec.LookPath(at); err == nil {
			return found
		}
	}
	const say = "%s is not installed; .ci/install installs it"
	if os.Getenv("CI") == "true" {
		t.Fatalf(say, command)
	}
	t.Skipf(say, command)
	return ""
}

// check lets the program itself judge its file, and run starts it.
func (p *place) run(t *testing.T, command, file, text string, check, start []string) (stop func()) {
	t.Helper()
	at := program(t, command)
	p.write(t, file, text)
	in := func(args []string) []string {
		all := make([]string, len(args))
		for i, a := range args {
			all[i] = strings.ReplaceAll(a, "FILE", filepath.Join(p.dir, file))
		}
		return all
	}
	out, err := exec.CommandContext(t.Context(), at, in(check)...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.NotContains(t, strings.ToLower(string(out)), "warn", "%s", out)
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), at, in(start)...)
	output := &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = output, output
	require.NoError(t, cmd.Start())
	stop = sync.OnceFunc(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	t.Cleanup(func() {
		stop()
		if t.Failed() {
			t.Log(output)
		}
	})
	require.Eventually(t, func() bool {
		conn, err := dialer.DialContext(t.Context(), "tcp", p.proxy+":8443")
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	}, 10*time.Second, 50*time.Millisecond, "%s does not listen", command)
	return stop
}

// reply is an answer that has been read.
type reply struct {
	status int
	header http.Header
}

func (p *place) get(t *testing.T, address string) (reply, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	require.NoError(t, err)
	answer, err := p.client.Do(request)
	require.NoError(t, err)
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return reply{answer.StatusCode, answer.Header}, string(body)
}

// proxies are the programs, with what judges and starts them.
var proxies = map[string]struct {
	file         string
	check, start []string
}{
	"nginx":   {"nginx.conf", []string{"-t", "-c", "FILE"}, []string{"-c", "FILE", "-g", "daemon off;"}},
	"haproxy": {"haproxy.cfg", []string{"-c", "-f", "FILE"}, []string{"-W", "-db", "-f", "FILE"}},
}

//guide:nginx
func TestARealProxyBalancesWithTheStacksFiles(t *testing.T) {
	for command, of := range proxies {
		t.Run(command, func(t *testing.T) {
			p := newPlace(t)
			p.combine(t)
			p.run(t, command, of.file, p.files(t, 3600)[of.file], of.check, of.start)

			plain, _ := p.get(t, "http://"+name+"/console?x=1")
			assert.Equal(t, http.StatusMovedPermanently, plain.status)
			assert.Equal(t, "https://"+name+"/console?x=1", plain.header.Get("Location"))

			answer, body := p.get(t, "https://"+name+"/")
			first, _, _ := strings.Cut(body, " ")
			require.Contains(t, []string{"node-1", "node-2"}, first, body)
			assert.Contains(t, body, fmt.Sprintf("host=%s proto=https for=127.", name))
			assert.Contains(t, body, fmt.Sprintf("forwarded-host=%s sni=%s", name, name))
			cookie := answer.header.Get("Set-Cookie")
			for _, part := range []string{StickyCookie + "=" + first, "Secure", "HttpOnly", "SameSite=None"} {
				assert.Contains(t, cookie, part)
			}
			for range 6 {
				_, body := p.get(t, "https://"+name+"/")
				assert.True(t, strings.HasPrefix(body, first+" "), "the browser left %s: %s", first, body)
			}
			p.upgrades(t)

			// Its node dies.
			for _, n := range p.nodes {
				if n.name == first {
					require.NoError(t, n.server.Close())
				}
			}
			for range 4 {
				dead, body := p.get(t, "https://"+name+"/")
				assert.Equal(t, http.StatusOK, dead.status, body)
				assert.False(t, strings.HasPrefix(body, first+" "), body)
			}
			address, err := url.Parse("https://" + name + "/")
			require.NoError(t, err)
			for _, kept := range p.client.Jar.Cookies(address) {
				assert.NotEqual(t, first, kept.Value, "the browser stays with a node that is dead")
			}
		})
	}
}

// tier returns the configuration of the stack's own nginx with a nodes.conf from the instance's program, for these nodes.
func (p *place) tier(t *testing.T, sticky int, nodes ...*node) string {
	t.Helper()
	text, err := NginxConfig(config.Cluster{Hostname: name, LoadBalancer: config.LoadBalancer{IdleTimeout: 5, Stickiness: sticky}})
	require.NoError(t, err)
	cookie := ""
	if sticky > 0 {
		cookie = StickyCookie
	}
	data, err := bootstrap.NginxUserData(bootstrap.NginxArgs{Cookie: cookie, IdleSeconds: 5, FailSeconds: FailSeconds})
	require.NoError(t, err)
	functions, _, found := strings.Cut(data, "mkdir -p \"$ROOT/var/log\"\nexec ")
	require.True(t, found)
	script := exec.CommandContext(t.Context(), "bash", "-c", functions+"upstreams")
	var lines strings.Builder
	for _, n := range nodes {
		fmt.Fprintf(&lines, "i-%s %s\n", n.name, n.at)
	}
	script.Stdin = strings.NewReader(lines.String())
	upstreams, err := script.Output()
	require.NoError(t, err)
	p.write(t, "nodes.conf", string(upstreams))
	return p.here(text)
}

//guide:nginx
func TestEveryNginxOfTheTierKeepsABrowserWithItsNode(t *testing.T) {
	of := proxies["nginx"]
	p := newPlace(t)
	stop := p.run(t, "nginx", of.file, p.tier(t, 3600, p.nodes...), of.check, of.start)
	answer, body := p.get(t, "https://"+name+"/")
	first, _, _ := strings.Cut(body, " ")
	require.Contains(t, []string{"node-1", "node-2"}, first, body)
	assert.Contains(t, body, fmt.Sprintf("host=%s proto=https for=127.", name))
	assert.Contains(t, body, "sni="+name)
	cookie := answer.header.Get("Set-Cookie")
	for _, part := range []string{StickyCookie + "=", "Secure", "HttpOnly", "SameSite=None"} {
		assert.Contains(t, cookie, part)
	}
	assert.NotContains(t, cookie, first, "the cookie tells a node's id")
	p.upgrades(t)
	health, _ := p.get(t, "http://"+name+NginxHealth)
	assert.Equal(t, http.StatusOK, health.status)
	plain, _ := p.get(t, "http://"+name+"/console?x=1")
	assert.Equal(t, "https://"+name+"/console?x=1", plain.header.Get("Location"))

	// Another nginx, which has learned the nodes in another order, keeps the browser there too.
	stop()
	stop = p.run(t, "nginx", of.file, p.tier(t, 3600, p.nodes[1], p.nodes[0]), of.check, of.start)
	for range 6 {
		_, body := p.get(t, "https://"+name+"/")
		assert.True(t, strings.HasPrefix(body, first+" "), "the browser left %s: %s", first, body)
	}
	// Its node dies. Then the node leaves the target group, and nginx reads another nodes.conf.
	i := slices.IndexFunc(p.nodes, func(n *node) bool { return n.name == first })
	require.NoError(t, p.nodes[i].server.Close())
	for range 4 {
		dead, body := p.get(t, "https://"+name+"/")
		assert.Equal(t, http.StatusOK, dead.status, body)
		assert.False(t, strings.HasPrefix(body, first+" "), body)
	}
	stop()
	stop = p.run(t, "nginx", of.file, p.tier(t, 3600, p.nodes[1-i]), of.check, of.start)
	last, body := p.get(t, "https://"+name+"/")
	assert.Equal(t, http.StatusOK, last.status, body)

	// Without a node, nginx says so and stays healthy.
	stop()
	p.run(t, "nginx", of.file, p.tier(t, 0), of.check, of.start)
	none, _ := p.get(t, "https://"+name+"/")
	assert.Equal(t, http.StatusBadGateway, none.status)
	health, _ = p.get(t, "http://"+name+NginxHealth)
	assert.Equal(t, http.StatusOK, health.status)
}

func TestTheLargestNginxFitsUserData(t *testing.T) {
	host := strings.Repeat("a234567890b234567890c234567890d234567890e234567890f234567890abc.", 3) + strings.Repeat("x", 57) + ".io"
	require.LessOrEqual(t, len(host), 253)
	text, err := NginxConfig(config.Cluster{Hostname: host, LoadBalancer: config.LoadBalancer{IdleTimeout: 350, Stickiness: 604800, AccessLogs: true}})
	require.NoError(t, err)
	_, certificate := keyPair(t, host)
	arn := "arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:" + strings.Repeat("s", 512)
	name := strings.Repeat("n", 40)
	_, err = bootstrap.NginxUserData(bootstrap.NginxArgs{Region: "us-gov-west-1", Cluster: name, Hostname: host, Config: text, Directory: NginxDir,
		NodesCertificate: certificate, NodesFile: NodesCertificate, Secret: arn, TargetGroup: arn[:120], PollSeconds: 10, Cookie: StickyCookie,
		IdleSeconds: 350, FailSeconds: FailSeconds, HealthPath: NginxHealth, LogGroup: "/wso2is/" + name + "/nodes",
		LifecycleHook: bootstrap.LifecycleHook{Name: "ready", Group: name + "-nginx"}})
	require.NoError(t, err)
}

func TestTheTiersNginxRefusesANodeWithAnotherCertificate(t *testing.T) {
	p := newPlace(t)
	other, _ := keyPair(t, name)
	for _, n := range p.nodes {
		require.NoError(t, n.server.Close())
		p.start(t, n, other)
	}
	p.run(t, "nginx", "nginx.conf", p.tier(t, 3600, p.nodes...), proxies["nginx"].check, proxies["nginx"].start)
	answer, body := p.get(t, "https://"+name+"/")
	assert.Equal(t, http.StatusBadGateway, answer.status, body)
}

// combine writes the certificate and the key into one file too, as HAProxy takes them.
func (p *place) combine(t *testing.T) {
	t.Helper()
	certificate, err := os.ReadFile(filepath.Join(p.dir, "certificate.pem"))
	require.NoError(t, err)
	key, err := os.ReadFile(filepath.Join(p.dir, "key.pem"))
	require.NoError(t, err)
	p.write(t, "certificate.pem", string(certificate)+string(key))
}

// upgrades holds that a WebSocket gets through.
func (p *place) upgrades(t *testing.T) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+name+"/socket", nil)
	require.NoError(t, err)
	request.Header.Set("Upgrade", "websocket")
	request.Header.Set("Connection", "Upgrade")
	request.Header.Set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
	request.Header.Set("Sec-WebSocket-Version", "13")
	answer, err := p.client.Transport.RoundTrip(request)
	require.NoError(t, err)
	defer func() { _ = answer.Body.Close() }()
	assert.Equal(t, http.StatusSwitchingProtocols, answer.StatusCode)
}

func TestAProxyRefusesANodeWithAnotherCertificate(t *testing.T) {
	for command, of := range proxies {
		t.Run(command, func(t *testing.T) {
			p := newPlace(t)
			p.combine(t)
			other, _ := keyPair(t, name)
			for _, n := range p.nodes {
				require.NoError(t, n.server.Close())
				p.start(t, n, other)
			}
			p.run(t, command, of.file, p.files(t, 0)[of.file], of.check, of.start)
			answer, body := p.get(t, "https://"+name+"/")
			assert.GreaterOrEqual(t, answer.status, http.StatusBadGateway, body)
			assert.Empty(t, answer.header.Get("Set-Cookie"), "without stickiness there is no cookie")
		})
	}
}

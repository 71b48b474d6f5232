//go:build linux

package cluster

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/wso2is-aws/wso2is/rehearsal/drill/netns"
	"github.com/wso2is-aws/wso2is/rehearsal/drill/plan"
	"github.com/wso2is-aws/wso2is/rehearsal/drill/vpc"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// control is the control plane of the pods' cluster: etcd and Kubernetes' own API server in a network of their own. Its interfaces
// in the VPC lead there. No controllers run: the drill does what those of Deployments, endpoints, the kubelet and the load balancer do.
type control struct {
	host         *netns.Namespace
	client       *http.Client
	etcd, server *process
	ways         []net.Listener
	// certificates are those with which pods verify the API.
	certificates string

	// mu guards the endpoints, of which only one change is written at a time.
	mu sync.Mutex
	// rollout counts the Deployment's changes of its template.
	rollout int
}

const (
	// apiName is a name of the API in every cluster, and administrator the token of one who may do everything.
	apiName       = "kubernetes.default.svc"
	administrator = "drill"
)

// StartKubernetes starts the API of the pods' cluster with the state's objects.
func (c *Cluster) StartKubernetes() error {
	if c.Kubernetes == nil {
		return nil
	}
	k := &control{}
	c.control = k
	var err error
	if k.host, err = netns.New("the control plane"); err != nil {
		return err
	}
	raw, err := os.ReadFile(bundle())
	if err != nil {
		return fmt.Errorf("reading the certificate authority: %w", err)
	}
	k.certificates = string(raw)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(raw)
	k.client = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: apiName, MinVersion: tls.VersionTLS12},
		DialContext:     func(ctx context.Context, _, _ string) (net.Conn, error) { return k.host.Dial(ctx, inside) },
	}}
	if err := c.startAPIServer(); err != nil {
		return err
	}
	for _, i := range c.Network.Find(vpc.ControlPlane) {
		listener, err := listen(c.World.Host(i.Device), netip.AddrPortFrom(i.Address, 443).String())
		if err != nil {
			return err
		}
		k.ways = append(k.ways, listener)
		go k.lead(listener)
	}
	return k.take(nil, c.Kubernetes.Objects)
}

// inside is the API server's address in its own network.
var inside = netip.MustParseAddrPort("127.0.0.1:443")

// startAPIServer starts etcd, and the API server in the cluster's release.
func (c *Cluster) startAPIServer() (err error) {
	k, dir := c.control, at("kubernetes")
	certificate, key, accounts, tokens := filepath.Join(dir, "api.crt"), filepath.Join(dir, "api.key"), filepath.Join(dir, "accounts.key"), filepath.Join(dir, "tokens.csv")
	if err := errors.Join(c.authority.certify(certificate, key, apiName, c.Kubernetes.Service.String()), writeKey(accounts),
		write(tokens, administrator+",administrator,administrator,system:masters\n")); err != nil {
		return err
	}
	const clients, peers = "http://127.0.0.1:2379", "http://127.0.0.1:2380"
	if k.etcd, err = start(k.host, exec.Command(c.Tools["etcd"], "--data-dir", filepath.Join(dir, "etcd"), "--listen-client-urls", clients,
		"--advertise-client-urls", clients, "--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers,
		"--initial-cluster", "default="+peers, "--unsafe-no-fsync"), filepath.Join(dir, "etcd.log")); err != nil {
		return err
	}
	ways := c.Network.Find(vpc.ControlPlane)
	if len(ways) == 0 {
		return errors.New("the control plane has no interface in the state's VPC")
	}
	if k.server, err = start(k.host, exec.Command(c.Tools["kube-apiserver"], "--etcd-servers", clients, "--bind-address", inside.Addr().String(),
		"--secure-port", fmt.Sprint(inside.Port()), "--advertise-address", ways[0].Address.String(), "--tls-cert-file", certificate, "--tls-private-key-file", key,
		"--service-cluster-ip-range", c.Kubernetes.Services, "--authorization-mode", "RBAC", "--token-auth-file", tokens,
		"--service-account-issuer", "https://"+apiName, "--service-account-key-file", accounts, "--service-account-signing-key-file", accounts,
		"--emulated-version", "kube="+c.Kubernetes.Release), filepath.Join(dir, "api.log")); err != nil {
		return err
	}
	for end := time.Now().Add(3 * time.Minute); ; time.Sleep(200 * time.Millisecond) {
		if err = k.call(http.MethodGet, "/readyz", "", nil, nil); err == nil {
			return nil
		}
		if !k.server.running() || time.Now().After(end) {
			return fmt.Errorf("the API server does not start: %w: %s", err, k.server.tail())
		}
	}
}

func writeKey(path string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("making a key: %w", err)
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return fmt.Errorf("making a key: %w", err)
	}
	return write(path, string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})))
}

// lead passes the connections to an interface in the VPC on to the API server, over EKS' own network.
func (k *control) lead(listener net.Listener) {
	for {
		from, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer func() { _ = from.Close() }()
			to, err := k.host.Dial(context.Background(), inside)
			if err != nil {
				return
			}
			defer func() { _ = to.Close() }()
			go func() {
				_, _ = io.Copy(to, from)
				_ = to.(*net.TCPConn).CloseWrite()
			}()
			_, _ = io.Copy(from, to)
		}()
	}
}

func (k *control) close() {
	if k == nil {
		return
	}
	for _, l := range k.ways {
		_ = l.Close()
	}
	k.server.stop(syscall.SIGKILL, time.Minute)
	k.etcd.stop(syscall.SIGKILL, time.Minute)
	_ = k.host.Close()
}

// call calls the API as the administrator.
func (k *control) call(method, path, kind string, body, into any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("writing a request to Kubernetes: %w", err)
	}
	if body == nil {
		raw = nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, "https://"+apiName+path, bytes.NewReader(raw))
	if err != nil {
		return fmt.Errorf("calling Kubernetes: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+administrator)
	request.Header.Set("Content-Type", kind)
	answer, err := k.client.Do(request)
	if err != nil {
		return fmt.Errorf("calling Kubernetes: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	said, err := io.ReadAll(answer.Body)
	if err != nil {
		return fmt.Errorf("calling Kubernetes: %w", err)
	}
	if answer.StatusCode >= 300 {
		var status struct{ Message string }
		if err := json.Unmarshal(said, &status); err != nil || status.Message == "" {
			status.Message = string(said)
		}
		return &refused{answer.StatusCode, fmt.Sprintf("Kubernetes answers %s %s with %s: %s", method, path, answer.Status, status.Message)}
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(said, into); err != nil {
		return fmt.Errorf("reading an answer of Kubernetes: %w", err)
	}
	return nil
}

// refused is an answer of the API that is no success.
type refused struct {
	status int
	text   string
}

func (r *refused) Error() string { return r.text }

// absent reports whether the API has said that an object does not exist.
func absent(err error) bool {
	var r *refused
	return errors.As(err, &r) && r.status == http.StatusNotFound
}

const (
	inJSON  = "application/json"
	inMerge = "application/merge-patch+json"
	inApply = "application/apply-patch+yaml"
)

// pathOf is the path of an object in the API.
func pathOf(m plan.Manifest) string {
	version := state.Text(m.Object["apiVersion"])
	path := "/apis/" + version
	if version == "v1" {
		path = "/api/v1"
	}
	if m.Namespace != "" {
		path += "/namespaces/" + m.Namespace
	}
	plural := strings.ToLower(m.Kind)
	switch {
	case strings.HasSuffix(plural, "y"):
		plural = strings.TrimSuffix(plural, "y") + "ies"
	case !strings.HasSuffix(plural, "s"):
		plural += "s"
	}
	return path + "/" + plural + "/" + m.Name
}

// apply makes or changes an object, as Pulumi's provider does. A field that the server does not know is an error.
func (k *control) apply(m plan.Manifest) error {
	return k.call(http.MethodPatch, pathOf(m)+"?fieldManager=drill&force=true&fieldValidation=Strict", inApply, m.Object, nil)
}

// take gives the server other objects: those that are not among them go, and only changed ones are written.
func (k *control) take(before, after []plan.Manifest) error {
	in := func(all []plan.Manifest, one plan.Manifest) int {
		return slices.IndexFunc(all, func(m plan.Manifest) bool { return pathOf(m) == pathOf(one) })
	}
	for _, m := range slices.Backward(before) {
		if in(after, m) < 0 {
			if err := k.call(http.MethodDelete, pathOf(m), inJSON, nil, nil); err != nil && !absent(err) {
				return err
			}
		}
	}
	for _, m := range after {
		if i := in(before, m); i >= 0 && reflect.DeepEqual(before[i].Object, m.Object) {
			continue
		}
		if err := k.apply(m); err != nil {
			return err
		}
	}
	return nil
}

//go:build linux

package cluster

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wso2is-aws/wso2is/rehearsal/drill/aws"
	"github.com/wso2is-aws/wso2is/rehearsal/drill/netns"
	"github.com/wso2is-aws/wso2is/rehearsal/drill/plan"
	"github.com/wso2is-aws/wso2is/rehearsal/drill/vpc"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// api is an API of AWS at the addresses to which its names lead in the VPC.
type api struct {
	service string
	names   []string
	// endpoint is the interface endpoint, or nil: then the name leads to the internet.
	endpoint  *state.Resource
	addresses []netip.Addr
	hosts     []*netns.Namespace
}

// apis returns the APIs in the network of the state.
func (c *Cluster) apis() []api {
	var all []api
	for n, service := range aws.Services {
		name := fmt.Sprintf("%s.%s.amazonaws.com", service, c.Account.Region)
		one := api{service: service, names: []string{name}}
		for _, i := range c.Network.Find(vpc.Endpoint) {
			named := slices.ContainsFunc(i.Of.Objects("dnsEntries"), func(e state.Object) bool { return e.Text("dnsName") == name })
			if named && i.Of.Flag("privateDnsEnabled", false) {
				one.endpoint, one.addresses, one.hosts = i.Of, append(one.addresses, i.Address), append(one.hosts, c.World.Host(i.Device))
			}
		}
		if one.endpoint == nil {
			one.addresses = []netip.Addr{netip.AddrFrom4([4]byte{198, 51, 100, byte(10 + n)})}
			one.hosts = []*netns.Namespace{c.World.Internet}
		}
		all = append(all, one)
	}
	if names := c.bucketNames(); len(names) > 0 {
		one := api{service: aws.Objects, names: names, addresses: []netip.Addr{c.buckets()}, hosts: []*netns.Namespace{c.World.Internet}}
		if i := c.bucketGateway(); i >= 0 {
			one.endpoint, one.hosts = c.Network.Gateways[i].Of, []*netns.Namespace{c.World.Gates[i]}
		}
		all = append(all, one)
	}
	return all
}

// bucketGateway is the index of S3's gateway endpoint, or -1.
func (c *Cluster) bucketGateway() int {
	return slices.IndexFunc(c.Network.Gateways, func(g *vpc.Gateway) bool { return strings.HasSuffix(g.Of.Text("serviceName"), ".s3") })
}

// buckets is the address of S3: behind its gateway endpoint, or on the internet if there is none.
func (c *Cluster) buckets() netip.Addr {
	if i := c.bucketGateway(); i >= 0 && len(c.Network.Gateways[i].Blocks) > 0 {
		return c.Network.Gateways[i].Blocks[0].Addr().Next()
	}
	return netip.AddrFrom4([4]byte{198, 51, 100, 9})
}

// web is the address of others' web servers.
var web = netip.AddrFrom4([4]byte{203, 0, 113, 80})

// servePages starts the web servers of others, from which nodes fetch files.
func (c *Cluster) servePages() error {
	names := c.pageNames()
	if len(names) == 0 {
		return nil
	}
	return c.serveTLS("web", names, c.World.Internet, web, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeFile(w, r, c.page(r.Host, r.URL.Path))
	}))
}

// serveTLS serves HTTPS at an address in a namespace, with a certificate for names.
func (c *Cluster) serveTLS(what string, names []string, host *netns.Namespace, address netip.Addr, handler http.Handler) error {
	certificate, key := at("aws", what, "certificate.pem"), at("aws", what, "key.pem")
	if err := c.authority.certify(certificate, key, names...); err != nil {
		return err
	}
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		return fmt.Errorf("reading a certificate: %w", err)
	}
	listener, err := listen(host, netip.AddrPortFrom(address, 443).String())
	if err != nil {
		return err
	}
	c.serve(tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}),
		&http.Server{Handler: handler, ReadHeaderTimeout: time.Minute})
	return nil
}

// serveAWS starts the servers of AWS's APIs for the current state, and ends those for an earlier one.
func (c *Cluster) serveAWS() error {
	c.closeAWS()
	listener, err := listen(c.World.Router, vpc.MetadataAddress+":80")
	if err != nil {
		return err
	}
	c.serve(listener, c.Account.Metadata(setHops))
	if listener, err = listen(c.World.Router, vpc.TaskAddress+":80"); err != nil {
		return err
	}
	c.serve(listener, &http.Server{Handler: c.Account.TaskMetadata(), ReadHeaderTimeout: time.Minute})
	if listener, err = listen(c.World.Router, vpc.PodAddress+":80"); err != nil {
		return err
	}
	c.serve(listener, &http.Server{Handler: c.Account.PodIdentity(), ReadHeaderTimeout: time.Minute})
	for _, one := range c.apis() {
		for n, address := range one.addresses {
			if err := c.serveTLS(one.service, one.names, one.hosts[n], address, c.Account.Handler(one.service, one.endpoint)); err != nil {
				return err
			}
		}
	}
	return c.servePages()
}

func listen(host *netns.Namespace, address string) (listener net.Listener, err error) {
	failed := host.Do(func() error {
		listener, err = net.Listen("tcp4", address)
		return err
	})
	if failed != nil {
		return nil, fmt.Errorf("listening for %s: %w", host.Name, failed)
	}
	return listener, nil
}

func (c *Cluster) serve(listener net.Listener, server *http.Server) {
	c.served = append(c.served, server)
	go func() { _ = server.Serve(listener) }()
}

func (c *Cluster) closeAWS() {
	for _, s := range c.served {
		_ = s.Close()
	}
	c.served = nil
}

// setHops limits the hops of the next packets of a connection, as the metadata service's hop limit does.
func setHops(conn net.Conn, hops int) error {
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		return fmt.Errorf("limiting hops: %w", err)
	}
	var failed error
	err = raw.Control(func(fd uintptr) { failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_TTL, hops) })
	return errors.Join(err, failed)
}

// CompleteLaunch says, as the end of the user data does, that a node is ready. Only nodes of an Auto Scaling group wait for it.
func (c *Cluster) CompleteLaunch(n plan.Node) error {
	if n.Replaceable() || !c.Account.Waits(n.Instance) {
		return nil
	}
	hook, group := plan.Variable(n.Settings, "LIFECYCLE_HOOK"), plan.Variable(n.Settings, "LIFECYCLE_GROUP")
	cmd := []string{"autoscaling", "complete-lifecycle-action", "--region", c.Account.Region, "--lifecycle-hook-name", hook,
		"--auto-scaling-group-name", group, "--instance-id", n.Instance.ID, "--lifecycle-action-result", "CONTINUE"}
	said, err := c.in(n, filepath.Join(root(n), "stand-in", "aws"), cmd...)
	if err != nil {
		return fmt.Errorf("%s cannot complete its launch: %s", n.Name, said)
	}
	return nil
}

// patience is the time for an answer of the metadata service.
const patience = 3 * time.Second

// Token asks the metadata service for a token from a namespace, as the first call of version 2 does.
func (c *Cluster) Token(from *netns.Namespace) error {
	request, err := http.NewRequest(http.MethodPut, "http://"+vpc.MetadataAddress+"/latest/api/token", nil)
	if err != nil {
		return fmt.Errorf("asking the metadata service: %w", err)
	}
	request.Header.Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "60")
	client := &http.Client{Timeout: patience, Transport: transport(from)}
	answer, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("the metadata service does not answer: %w", err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the metadata service answers %s", answer.Status)
	}
	return nil
}

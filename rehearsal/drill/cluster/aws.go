//go:build linux

package cluster

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wso2is-aws/wso2is/rehearsal/drill/aws"
	"github.com/wso2is-aws/wso2is/rehearsal/drill/netns"
	"github.com/wso2is-aws/wso2is/rehearsal/drill/plan"
	"github.com/wso2is-aws/wso2is/rehearsal/drill/vpc"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// api is an API of AWS at the addresses to which its name leads in the VPC.
type api struct {
	service, name string
	// endpoint is the interface endpoint, or nil: then the name leads to the internet.
	endpoint  *state.Resource
	addresses []netip.Addr
	hosts     []*netns.Namespace
}

// apis returns the APIs in the network of the state.
func (c *Cluster) apis() []api {
	var all []api
	for n, service := range aws.Services {
		one := api{service: service, name: fmt.Sprintf("%s.%s.amazonaws.com", service, c.Account.Region)}
		for _, i := range c.Network.Find(vpc.Endpoint) {
			named := slices.ContainsFunc(i.Of.Objects("dnsEntries"), func(e state.Object) bool { return e.Text("dnsName") == one.name })
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
	return all
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
	for _, one := range c.apis() {
		certificate, key := at("aws", one.service, "certificate.pem"), at("aws", one.service, "key.pem")
		if err := c.authority.certify(certificate, key, one.name); err != nil {
			return err
		}
		pair, err := tls.LoadX509KeyPair(certificate, key)
		if err != nil {
			return fmt.Errorf("reading a certificate: %w", err)
		}
		for n, address := range one.addresses {
			listener, err := listen(one.hosts[n], netip.AddrPortFrom(address, 443).String())
			if err != nil {
				return err
			}
			c.serve(tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}),
				&http.Server{Handler: c.Account.Handler(one.service, one.endpoint), ReadHeaderTimeout: time.Minute})
		}
	}
	return nil
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
	said, err := c.in(n, c.tools["aws"], cmd...)
	if err != nil {
		return fmt.Errorf("%s cannot complete its launch: %s", n.Name, said)
	}
	return nil
}

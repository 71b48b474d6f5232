package plan

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/drill/vpc"
)

// Directory is the directory that holds the users, and what the nodes' user store says of it. Its machine is not in the state.
type Directory struct {
	// Host is the host in ConnectionURL, and TLS says that the URL is one of LDAPS.
	Host string
	TLS  bool
	Port int
	// Address is in the range to which an egress rule of the nodes leads. Lacks says why there is none.
	Address netip.Addr
	Lacks   string
	// BindDN and Password are those of the nodes, and Bases are where they search.
	BindDN, Password string
	Bases            []string
}

// xml undoes the escapes of a value that the product writes into XML.
var xml = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&quot;", `"`, "&apos;", "'", "&amp;", "&")

var environment = regexp.MustCompile(`^\$env\{([A-Za-z0-9_]+)\}$`)

// directory reads the directory of a node's user store.
func (p *Plan) directory(config *settings, n *Node, i *vpc.Interface) error {
	text := func(key string) string {
		value, _ := config.UserStore.Properties[key].(string)
		if m := environment.FindStringSubmatch(value); m != nil {
			return n.Secrets[m[1]]
		}
		return xml.Replace(value)
	}
	if text("ConnectionURL") == "" {
		return nil // the users are in the database
	}
	u, err := url.Parse(text("ConnectionURL"))
	if err != nil || u.Scheme != "ldap" && u.Scheme != "ldaps" {
		return fmt.Errorf("the deployment.toml of %s has the ConnectionURL %q, which is no URL of LDAP", i.Of, text("ConnectionURL"))
	}
	d := &Directory{Host: u.Hostname(), TLS: u.Scheme == "ldaps", BindDN: text("ConnectionName"), Password: text("ConnectionPassword")}
	d.Port, _ = strconv.Atoi(cmp.Or(u.Port(), map[bool]string{true: "636", false: "389"}[d.TLS]))
	for _, key := range []string{"UserSearchBase", "GroupSearchBase"} {
		if base := text(key); base != "" {
			d.Bases = append(d.Bases, base)
		}
	}
	d.place(p.Network, i)
	p.Directory = d
	return nil
}

// everywhere is the address of a directory whose range is all addresses.
var everywhere = netip.AddrFrom4([4]byte{198, 51, 100, 200})

// place chooses the directory's address: that of its URL, or one in the narrowest range to which the node is let out.
func (d *Directory) place(network *vpc.Network, i *vpc.Interface) {
	to := network.Outlet(i, d.Port)
	if !to.IsValid() {
		d.Lacks = fmt.Sprintf("no egress rule lets %s out to the directory's port %d", i.Name, d.Port)
		return
	}
	at, err := netip.ParseAddr(d.Host)
	switch {
	case err == nil:
	case to.Contains(everywhere):
		at = everywhere
	case to.IsSingleIP():
		at = to.Addr()
	default:
		at = to.Addr().Next()
	}
	d.Address = at
	if !network.Leaves(i, at) {
		network.Beyond = at
	}
}

// URL is the URL at which a server of the directory listens.
func (d *Directory) URL() string {
	scheme := map[bool]string{true: "ldaps", false: "ldap"}[d.TLS]
	return fmt.Sprintf("%s://%s", scheme, netip.AddrPortFrom(d.Address, uint16(d.Port)))
}

// Tree is the LDIF (RFC 2849) of the entries in which nodes search, with all entries above them. An organizationalRole with
// extensibleObject may have each attribute by which an entry can be named (RFC 4519, RFC 4512).
func (d *Directory) Tree() string {
	b, made := &strings.Builder{}, map[string]bool{}
	for _, base := range d.Bases {
		names := split(base)
		for at := range slices.Backward(names) {
			dn := strings.Join(names[at:], ",")
			if made[strings.ToLower(dn)] {
				continue
			}
			made[strings.ToLower(dn)] = true
			attribute, value, _ := strings.Cut(names[at], "=")
			attribute, value = strings.TrimSpace(attribute), plainValue(strings.TrimSpace(value))
			fmt.Fprintf(b, "dn:: %s\nobjectClass: organizationalRole\nobjectClass: extensibleObject\n", encoded(dn))
			if !strings.EqualFold(attribute, "cn") {
				fmt.Fprintf(b, "cn:: %s\n", encoded(value))
			}
			fmt.Fprintf(b, "%s:: %s\n\n", attribute, encoded(value))
		}
	}
	return b.String()
}

func encoded(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

var (
	separated = regexp.MustCompile(`(?:[^,\\]|\\.)+`)
	escaped   = regexp.MustCompile(`\\([0-9A-Fa-f]{2}|.)`)
)

// split returns the parts of a distinguished name; a comma in a value is escaped (RFC 4514).
func split(dn string) []string {
	parts := separated.FindAllString(dn, -1)
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

// plainValue undoes the escapes of a value in a distinguished name.
func plainValue(value string) string {
	return escaped.ReplaceAllStringFunc(value, func(one string) string {
		if code, err := strconv.ParseUint(one[1:], 16, 8); err == nil && len(one) == 3 {
			return string([]byte{byte(code)})
		}
		return one[1:]
	})
}

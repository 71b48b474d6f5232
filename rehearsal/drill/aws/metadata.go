package aws

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"
)

// metadata is the metadata service of all instances. The address from which a request comes decides whose it is.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
type metadata struct {
	*Account
	mu     sync.Mutex
	tokens map[string]token
}

// token is a session of version 2.
type token struct {
	of      *Instance
	expires time.Time
}

type connection struct{}

// Metadata returns the server of the metadata service. SetHops limits the hops of the next answers on a connection.
func (a *Account) Metadata(setHops func(c net.Conn, hops int) error) *http.Server {
	m := &metadata{Account: a, tokens: map[string]token{}}
	return &http.Server{
		ReadHeaderTimeout: time.Minute,
		ConnContext:       func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connection{}, c) },
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			from, err := netip.ParseAddrPort(r.RemoteAddr)
			i := a.At(from.Addr())
			if err != nil || i == nil || i.Metadata.Text("httpEndpoint") == "disabled" {
				http.Error(w, "Forbidden", http.StatusForbidden)
				return
			}
			// Only answers to PUT have a limit of hops.
			hops := 64
			if limit, ok := i.Metadata.Int("httpPutResponseHopLimit"); r.Method == http.MethodPut {
				hops = 1
				if ok {
					hops = limit
				}
			}
			if c, ok := r.Context().Value(connection{}).(net.Conn); ok {
				if err := setHops(c, hops); err != nil {
					http.Error(w, err.Error(), http.StatusInternalServerError)
					return
				}
			}
			m.answer(w, r, i)
		}),
	}
}

const tokenHeader, validHeader = "X-Aws-Ec2-Metadata-Token", "X-Aws-Ec2-Metadata-Token-Ttl-Seconds" //nolint:gosec // names of headers

func (m *metadata) answer(w http.ResponseWriter, r *http.Request, i *Instance) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case r.Method == http.MethodPut && path.Clean(r.URL.Path) == "/latest/api/token":
		m.open(w, r, i)
		return
	case r.Method != http.MethodGet:
		http.Error(w, "Method Not Allowed", http.StatusMethodNotAllowed)
		return
	}
	given := r.Header.Get(tokenHeader)
	session, known := m.tokens[given]
	if given == "" && i.Metadata.Text("httpTokens") == "required" ||
		given != "" && (!known || session.of != i || time.Now().After(session.expires)) {
		http.Error(w, "Unauthorized", http.StatusUnauthorized)
		return
	}
	if text, ok := m.value(i, strings.TrimPrefix(path.Clean(r.URL.Path), "/latest/")); ok {
		_, _ = w.Write([]byte(text))
		return
	}
	http.NotFound(w, r)
}

// open begins a session. A request that a proxy has forwarded gets none.
func (m *metadata) open(w http.ResponseWriter, r *http.Request, i *Instance) {
	seconds, err := strconv.Atoi(r.Header.Get(validHeader))
	if err != nil || seconds < 1 || seconds > 21600 {
		http.Error(w, "Bad Request", http.StatusBadRequest)
		return
	}
	if r.Header.Get("X-Forwarded-For") != "" {
		http.Error(w, "Forbidden", http.StatusForbidden)
		return
	}
	name := random(20)
	m.tokens[name] = token{i, time.Now().Add(time.Duration(seconds) * time.Second)}
	w.Header().Set(validHeader, strconv.Itoa(seconds))
	_, _ = w.Write([]byte(name))
}

// value returns a value of an instance.
func (m *metadata) value(i *Instance, name string) (string, bool) {
	const role = "meta-data/iam/security-credentials"
	switch name {
	case "meta-data/instance-id":
		return i.ID, true
	case "meta-data/local-ipv4":
		return i.Address.String(), true
	case "meta-data/placement/availability-zone":
		return i.Zone, true
	case "meta-data/placement/region":
		return m.Region, true
	}
	if i.Role == nil || !strings.HasPrefix(name, role) {
		return "", false
	}
	if name == role {
		return i.Role.Text("name"), true
	}
	if name != role+"/"+i.Role.Text("name") {
		return "", false
	}
	if !m.trusts(i.Role, "ec2.amazonaws.com", nil) {
		return text(map[string]string{"Code": "AssumeRoleUnauthorizedAccess", "Message": "EC2 cannot assume the role " + i.Role.Text("name")}), true
	}
	c := m.issue(i.Role)
	return text(map[string]string{
		"Code": "Success", "Type": "AWS-HMAC", "LastUpdated": time.Now().UTC().Format(time.RFC3339), "Expiration": c.expires.Format(time.RFC3339),
		"AccessKeyId": c.key, "SecretAccessKey": c.secret, "Token": c.token,
	}), true
}

// text returns a value as JSON.
func text(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

package bootstrap

import (
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/wso2is-aws/wso2is/config/ports"
)

//go:embed nginx.sh
var nginxScript string

// NginxArgs are the inputs of the user data of an instance with nginx. They hold no secret, only the names of secrets.
type NginxArgs struct {
	Region, Cluster string
	// Hostname is the cluster's public name, which the certificate must have.
	Hostname string
	// Config is nginx.conf. It includes the file nodes.conf in Directory, which the instance writes. Directory also has the certificates.
	Config, Directory string
	// NodesCertificate is the PEM text of the file NodesFile, which nginx verifies the nodes with.
	NodesCertificate, NodesFile string
	// Secret is the ARN of the secret with the certificate and the key.
	Secret string
	// TargetGroup is the ARN of the nodes' target group. PollSeconds is the time between two questions for its targets.
	TargetGroup string
	PollSeconds int
	// Cookie names the node that a browser stays with; empty without stickiness. IdleSeconds and FailSeconds are those of the upstreams.
	Cookie                   string
	IdleSeconds, FailSeconds int
	// HealthPath is the path at which nginx itself answers on port 80.
	HealthPath string
	// LogGroup takes the logs.
	LogGroup      string
	LifecycleHook LifecycleHook
}

// NginxUserData returns the user data of an instance with nginx, before base64: the values as shell variables, then a script that is
// the same on every instance. It uses functions of a node's own scripts. It fails as UserData does.
func NginxUserData(a NginxArgs) (string, error) {
	h := header{}
	h.value("REGION", a.Region)
	h.value("CLUSTER", a.Cluster)
	h.value("PUBLIC_NAME", a.Hostname)
	h.value("NGINX_DIR", a.Directory)
	h.value("CERTIFICATE_SECRET", a.Secret)
	h.value("NODES_FILE", a.NodesFile)
	h.value("NODES_CERTIFICATE", a.NodesCertificate)
	h.value("TARGET_GROUP", a.TargetGroup)
	h.value("NODE_PORT", strconv.Itoa(ports.HTTPS))
	h.value("POLL_SECONDS", strconv.Itoa(a.PollSeconds))
	h.value("COOKIE", a.Cookie)
	h.value("IDLE_SECONDS", strconv.Itoa(a.IdleSeconds))
	h.value("FAIL_SECONDS", strconv.Itoa(a.FailSeconds))
	h.value("HEALTH_PATH", a.HealthPath)
	h.value("LOG_NGINX", a.LogGroup)
	h.value("LIFECYCLE_HOOK", a.LifecycleHook.Name)
	h.value("LIFECYCLE_GROUP", a.LifecycleHook.Group)
	h.value("CONFIG", a.Config)
	if h.err != nil {
		return "", fmt.Errorf("user data of nginx: %w", h.err)
	}
	data := "#!/bin/bash\n" + h.text.String() + "\n" + FetchScript() + functions(nodeScript, "finish", "step", "complete_launch") +
		functions(string(programFile("setup")), "secret") + comment.ReplaceAllString(nginxScript, "")
	if over := len(data) - MaxUserData; over > 0 {
		return "", fmt.Errorf("user data of nginx is %d bytes, %d more than the %d that EC2 takes", len(data), over, MaxUserData)
	}
	return data, nil
}

// comment is a line of comment, which user data has no room for.
var comment = regexp.MustCompile(`(?m)^\s*# [^s].*\n`)

// functions returns functions of a script of this package.
func functions(script string, names ...string) string {
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(script), "")
	if err != nil {
		panic(err) // The script is part of the binary.
	}
	var text strings.Builder
	for _, s := range file.Stmts {
		if f, ok := s.Cmd.(*syntax.FuncDecl); ok && slices.Contains(names, f.Name.Value) {
			text.WriteString(script[s.Pos().Offset():s.End().Offset()] + "\n\n")
		}
	}
	return text.String()
}

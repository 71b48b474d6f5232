package proof

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// Share is a directory on a file server or an EFS file system that the stack file names and no stack makes. It has no host on EFS.
type Share struct {
	Type, Host, Path string
	// FileSystem is the id of an EFS file system.
	FileSystem string
	// Group is the file server's security group, or Ranges has its addresses.
	Group  string
	Ranges []netip.Prefix
	// Directories are the shared directories.
	Directories []string
	// Secret is the ARN of the secret with the user of an SMB share, Key that of its KMS key, and Domain the user's.
	Secret, Key, Domain string
}

// unseenShare is what no state shows of a share.
const unseenShare = "the file server is not this stack's: its standby, its backups, its export, its directories and its outbound rules are not in the state"

// protocols has the facts of each type of share: the TCP port, and the mount options that files need.
var protocols = map[string]struct {
	port    int
	options []string
}{
	// nfs(5): a mount that is soft loses writes in an outage of the server, and other versions than 4 need more ports.
	"nfs": {nfs, []string{"nfsvers=4.1", "hard"}},
	// mount.cifs(8): a mount that is not hard loses writes in an outage of the server, seal encrypts, and without forceuid and forcegid a
	// server may say who owns a file.
	"smb": {smb, []string{"vers=3.1.1", "seal", "hard", "uid=802", "gid=802", "forceuid", "forcegid"}},
}

// shareFrom reads the key fileSystem of a stack file.
func shareFrom(raw string) (Share, error) {
	var file struct {
		Type                string
		Userstores, Tenants *bool
		Existing            struct {
			FileSystemARN, Host, Path, SecurityGroup, CredentialsSecretARN, SecretKeyARN, Domain string

			CIDRs []string
		}
	}
	if raw == "" {
		return Share{}, nil
	}
	if err := json.Unmarshal([]byte(raw), &file); err != nil {
		return Share{}, fmt.Errorf("reading wso2is:fileSystem: %w", err)
	}
	e := file.Existing
	if _, ok := protocols[file.Type]; !ok && e.FileSystemARN == "" {
		return Share{}, nil
	}
	s := Share{Type: file.Type, Host: e.Host, Path: strings.TrimSuffix(e.Path, "/"), Group: e.SecurityGroup,
		Secret: e.CredentialsSecretARN, Key: e.SecretKeyARN, Domain: e.Domain}
	if e.FileSystemARN != "" {
		s.FileSystem = path.Base(e.FileSystemARN)
	}
	for _, d := range []struct {
		name   string
		shared *bool
	}{{"Tenants", file.Tenants}, {"Userstores", file.Userstores}} {
		if d.shared == nil || *d.shared {
			s.Directories = append(s.Directories, d.name)
		}
	}
	var err error
	s.Ranges, err = prefixes(e.CIDRs)
	return s, err
}

// given reports whether there is one.
func (s Share) given() bool { return s.Host != "" || s.FileSystem != "" }

// port is that of the file server, or of mount targets.
func (s Share) port() int {
	if s.FileSystem != "" {
		return nfs
	}
	return protocols[s.Type].port
}

// name is what mount(8) takes for the share.
func (s Share) name() string {
	if s.Type == "smb" {
		return "//" + s.Host + s.Path
	}
	return s.Host + ":" + s.Path
}

// source is what mount(8) takes for a directory.
func (s Share) source(directory string) string { return s.name() + "/" + directory }

// findShare finds the file server: in its security group somewhere in the VPC, or in its ranges.
func (c *cluster) findShare(s Share, vpc netip.Prefix) {
	c.share = s
	if !s.given() {
		return
	}
	one := endpoint{kind: aMountTarget, name: "file server " + s.Host, port: s.port()}
	if s.FileSystem != "" {
		one.name = "mount targets of " + s.FileSystem
	}
	c.files = append(c.files, outside(one, "file server", s.Group, s.Ranges, vpc)...)
}

// filesPort is the port of a mount target or a file server.
func (p *endpoint) filesPort() int {
	if p.of == nil {
		return p.port
	}
	return nfs
}

// shareProof proves that every node has the directories of the share where the product has them, with options that lose nothing, and
// that no server starts before its own user has written there. It is nil if the stack makes EFS.
func (p *proofs) shareProof() *Verdict {
	s := p.want.Share
	if s.Host == "" {
		return nil
	}
	v := &Verdict{Claim: "Every node mounts the share that exists, and checks its owner before the server starts", Shown: s.name()}
	v.open(unseenShare)
	for _, token := range []string{state.FileSystem, state.MountTarget, state.AccessPoint, state.FileSystemPolicy} {
		for _, r := range p.Of(token) {
			v.fault("%s is made beside the share that exists", r)
		}
	}
	for _, n := range p.nodes {
		text, variables := p.program(n)
		for _, directory := range s.Directories {
			p.mounted(v, n, directory, variables)
		}
		if !strings.Contains(text, "check_shared") || n.platform != onInstance && variables["WSO2IS_SHARES"] == "" {
			v.fault("%s starts its server without a check that uid 802 may write to the share", n)
		}
	}
	return v
}

// mounted proves that a node has one directory of the share.
func (p *proofs) mounted(v *Verdict, n *node, directory string, variables map[string]string) {
	source := p.want.Share.source(directory)
	if n.platform == onInstance {
		if !strings.Contains(n.text, source+"|"+directory+"|") {
			v.fault("%s does not mount %s", n, source)
		}
		options := strings.Split(variables["SHARE_OPTIONS"], ",")
		p.lossless(v, n.String(), options)
		p.asUser(v, n.String(), options, variables["SHARE_SECRET"])
		return
	}
	volume := p.volumeOf(n, directory)
	at := ""
	for _, m := range slices.Concat(n.server().Objects("mountPoints"), n.server().Objects("volumeMounts")) {
		if volume != "" && (m.Text("sourceVolume") == volume || m.Text("name") == volume) {
			at = m.Text("containerPath") + m.Text("mountPath")
		}
	}
	if !strings.HasSuffix(at, "/"+strings.ToLower(directory)) {
		v.fault("the server of %s does not have %s", n, source)
		return
	}
	if !slices.Contains(strings.Fields(variables["WSO2IS_SHARES"]), at) {
		v.fault("%s starts its server without a check of %s", n, at)
	}
	if n.pod != nil {
		p.claimed(v, n, volume, directory)
		return
	}
	p.onItsHost(v, n, volume, source)
}

// volumeOf returns the name of a node's volume for a directory.
func (p *proofs) volumeOf(n *node, directory string) string {
	if n.pod != nil {
		return strings.ToLower(directory)
	}
	return directory
}

// claimed proves that a pod's volume is the share's directory.
func (p *proofs) claimed(v *Verdict, n *node, volume, directory string) {
	for _, one := range n.pod.spec.Objects("volumes") {
		if one.Text("name") != volume {
			continue
		}
		claim := n.pod.object(state.PersistentVolumeClaim, one.Object("persistentVolumeClaim").Text("claimName"))
		for _, r := range p.Of(state.PersistentVolume) {
			spec := r.Object("spec")
			if r.Object("metadata").Text("name") != claim.Object("spec").Text("volumeName") {
				continue
			}
			has := spec.Object("csi").Object("volumeAttributes").Text("source")
			if p.want.Share.Type == "nfs" {
				has = spec.Object("nfs").Text("server") + ":" + spec.Object("nfs").Text("path")
			}
			if has != p.want.Share.source(directory) {
				v.fault("%s is %s instead of %s", r, has, p.want.Share.source(directory))
			}
			if p.want.Share.Secret != "" {
				p.userOfVolume(v, n, r)
			}
			p.lossless(v, r.String(), spec.Texts("mountOptions"))
		}
	}
}

// onItsHost proves that the instance of a task mounts the share before it runs a task. Docker makes a directory that is missing, and
// the files in it would be on the instance.
func (p *proofs) onItsHost(v *Verdict, n *node, volume, source string) {
	at := ""
	for _, one := range n.task.Objects("volumes") {
		if one.Text("name") == volume {
			at = one.Text("hostPath")
		}
	}
	var line []string
	for _, text := range strings.Split(n.host.text, "\n") {
		if fields := strings.Fields(text); len(fields) == 6 && fields[0] == source && fields[1] == at {
			line = fields
		}
	}
	if at == "" || line == nil {
		v.fault("the instance of %s does not mount %s where its task has it", n, source)
		return
	}
	if !strings.Contains(n.host.text, "RequiresMountsFor=") || !strings.Contains(n.host.text, "ecs.service.d/") {
		v.fault("the ECS agent of %s starts without the share after a restart of its instance: files would be on the instance", n)
	}
	if !strings.Contains(n.host.text, "systemctl stop --no-block ecs") {
		v.fault("the ECS agent of %s starts although the share could not be mounted: files would be on the instance", n)
	}
	options := strings.Split(line[3], ",")
	p.lossless(v, "the instance of "+n.String(), options)
	secret := ""
	if script, err := readScript(n.host.text, nil); err == nil {
		secret = script.variables["SHARE_SECRET"]
	}
	p.asUser(v, "the instance of "+n.String(), options, secret)
}

// asUser proves that an instance mounts an SMB share as the user of the stack file's secret, also after a restart, when its memory is empty.
func (p *proofs) asUser(v *Verdict, who string, options []string, secret string) {
	s := p.want.Share
	if s.Secret == "" {
		return
	}
	if secret != s.Secret {
		v.fault("%s reads the user of the share from %q instead of %s", who, secret, s.Secret)
	}
	has := func(prefix string) bool {
		return slices.ContainsFunc(options, func(o string) bool { return strings.HasPrefix(o, prefix) })
	}
	if !has("credentials=/run/") {
		v.fault("%s mounts the share without a file in memory that has its user", who)
	}
	if !has("x-systemd.requires=") {
		v.fault("%s mounts the share after a restart before its user is in memory", who)
	}
}

// userOfVolume proves that the SMB CSI driver finds the user of the stack file's secret: in a Kubernetes secret of the stack, or in one that
// the Secrets Store CSI driver makes while a pod has the volume. It makes none for a volume that no container mounts.
func (p *proofs) userOfVolume(v *Verdict, n *node, volume *state.Resource) {
	ref := volume.Object("spec").Object("csi").Object("nodeStageSecretRef")
	if n.pod.object(state.KubernetesSecret, ref.Text("name")).Type != "" {
		return // its content is encrypted in the state
	}
	for _, one := range n.pod.spec.Objects("volumes") {
		class := n.pod.object(state.SecretProviderClass, one.Object("csi").Object("volumeAttributes").Text("secretProviderClass"))
		for _, made := range class.Object("spec").Objects("secretObjects") {
			var keys []string
			for _, data := range made.Objects("data") {
				keys = append(keys, data.Text("key"))
			}
			read := strings.Contains(class.Object("spec").Object("parameters").Text("objects"), p.want.Share.Secret)
			if made.Text("secretName") == ref.Text("name") && read && slices.Contains(keys, "username") && slices.Contains(keys, "password") {
				if !n.pod.mounts(one.Text("name")) {
					v.fault("no container of %s mounts the volume %s, so that the user of the share is never fetched", n, one.Text("name"))
				}
				return
			}
		}
	}
	v.fault("%s has its user in the secret %q, which does not come from %s", volume, ref.Text("name"), p.want.Share.Secret)
}

// mounts reports whether a container of the pods mounts a volume.
func (w *workload) mounts(volume string) bool {
	return slices.ContainsFunc(w.containers(), func(c state.Object) bool {
		return slices.ContainsFunc(c.Objects("volumeMounts"), func(m state.Object) bool { return m.Text("name") == volume })
	})
}

// proveUsers proves that only roles of nodes and their instances may read the user of the share, and only these and the roles of what
// makes the schema the users of a database that exists.
func (a *access) proveUsers() {
	readers := func(arn string, told func(role string, ends, stays []string)) {
		for _, role := range a.Of(state.Role) {
			fault, open := a.decide(call{as: a.role(role), action: "secretsmanager:GetSecretValue", on: arn})
			if fault != "" || open != "" {
				continue
			}
			ends, stays := a.programsOf(role)
			told(role.Text("name"), ends, stays)
		}
	}
	if a.share.Secret != "" {
		readers(a.share.Secret, func(role string, _, stays []string) {
			if len(stays) == 0 {
				a.others.fault("role %s may read the user of the share, and mounts nothing", role)
			}
		})
	}
	for _, arn := range slices.Compact(a.existing.Users) {
		readers(arn, func(role string, ends, stays []string) {
			if len(ends)+len(stays) == 0 {
				a.others.fault("role %s may read a user of the database that exists, and is of no node and of nothing that makes the schema", role)
			}
		})
	}
}

// lossless proves that mount options lose no write.
func (p *proofs) lossless(v *Verdict, who string, options []string) {
	needed := slices.Clone(protocols[p.want.Share.Type].options)
	if p.want.Share.Domain != "" {
		needed = append(needed, "domain="+p.want.Share.Domain)
	}
	for _, option := range needed {
		if !slices.Contains(options, option) {
			v.fault("%s mounts the share without the option %s", who, option)
		}
	}
}

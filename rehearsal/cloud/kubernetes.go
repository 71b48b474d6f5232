package cloud

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/pkg/v3/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"gopkg.in/yaml.v3"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// Kubernetes serves the cloud's Kubernetes cluster as the Pulumi package kubernetes. Objects are rows of the same table
// as AWS's resources. So a target group cannot be deleted while a binding names it, nor a file system before its
// volumes.
type Kubernetes struct {
	*Provider
}

// NewKubernetes makes the provider of the package kubernetes.
func NewKubernetes(c *Cloud) *Kubernetes { return &Kubernetes{NewProvider(c)} }

// Pkg names the package.
func (k *Kubernetes) Pkg() tokens.Package { return "kubernetes" }

// GetPluginInfo gives the version of the SDK that the table was written for.
func (k *Kubernetes) GetPluginInfo(context.Context) (plugin.PluginInfo, error) {
	version := semver.MustParse("4.32.0")
	return plugin.PluginInfo{Version: &version}, nil
}

// Close does nothing: the AWS provider closes the account.
func (k *Kubernetes) Close() error { return nil }

// DiffConfig compares provider configurations. Another kubeconfig leads to the same cluster, or Configure refuses it.
func (k *Kubernetes) DiffConfig(_ context.Context, r plugin.DiffConfigRequest) (plugin.DiffConfigResponse, error) {
	detail := changes(r.OldInputs, r.NewInputs)
	if detail == nil {
		return plugin.DiffResult{Changes: plugin.DiffNone}, nil
	}
	return plugin.DiffResult{Changes: plugin.DiffSome, DetailedDiff: detail}, nil
}

// Configure finds the cluster of the kubeconfig.
func (k *Kubernetes) Configure(ctx context.Context, r plugin.ConfigureRequest) (plugin.ConfigureResponse, error) {
	config, _ := plain(r.Inputs)
	sees := k.cloud.serving(config)
	k.cloud.configured(ctx, "kubernetes", sees)
	return plugin.ConfigureResponse{}, sees.configureKubernetes(config)
}

// kubeconfig has the parts of a kubeconfig that are read.
type kubeconfig struct {
	CurrentContext string `yaml:"current-context"`
	Contexts       []struct {
		Name    string                         `yaml:"name"`
		Context struct{ Cluster, User string } `yaml:"context"`
	} `yaml:"contexts"`
	Clusters []struct {
		Name    string `yaml:"name"`
		Cluster struct {
			Server      string `yaml:"server"`
			CA          string `yaml:"certificate-authority-data"`
			SkipsVerify bool   `yaml:"insecure-skip-tls-verify"`
		} `yaml:"cluster"`
	} `yaml:"clusters"`
	Users []struct {
		Name string `yaml:"name"`
		User struct {
			Exec *kubeExec `yaml:"exec"`
		} `yaml:"user"`
	} `yaml:"users"`
}

// kubeExec is the program that gets a token.
type kubeExec struct {
	Command string   `yaml:"command"`
	Args    []string `yaml:"args"`
	Env     []struct {
		Name  string `yaml:"name"`
		Value string `yaml:"value"`
	} `yaml:"env"`
}

// configureKubernetes refuses a kubeconfig of another cluster than the rehearsed EKS cluster. If none is rehearsed,
// because the stack uses an existing cluster, every kubeconfig is accepted.
func (c *Cloud) configureKubernetes(config Object) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	value, ok := config["kubeconfig"].(string)
	if !ok {
		if hasUnknown(config["kubeconfig"]) {
			return nil // The cluster is still to be made.
		}
		return errors.New("the kubernetes provider has no kubeconfig, and would use the one of the user who runs pulumi: set one")
	}
	var kube kubeconfig
	if err := yaml.Unmarshal([]byte(value), &kube); err != nil {
		return fmt.Errorf("the kubernetes provider's kubeconfig is no YAML: %w", err)
	}
	clusterName, userName := "", ""
	for _, context := range kube.Contexts {
		if context.Name == kube.CurrentContext {
			clusterName, userName = context.Context.Cluster, context.Context.User
		}
	}
	if clusterName == "" {
		return fmt.Errorf("the kubernetes provider's kubeconfig has no context named by current-context, %q", kube.CurrentContext)
	}
	var wrong []error
	for _, cluster := range kube.Clusters {
		if cluster.Name != clusterName {
			continue
		}
		found := c.find(cluster.Cluster.Server, "endpoint", state.EKSCluster)
		switch {
		case cluster.Cluster.SkipsVerify:
			wrong = append(wrong, errors.New("the kubeconfig trusts every server: insecure-skip-tls-verify is set"))
		case found != nil:
			if ca := text(found.Outputs, "certificateAuthority.data"); ca != "" && ca != cluster.Cluster.CA {
				wrong = append(wrong, fmt.Errorf("the kubeconfig's certificate authority is not that of %s", found.describe()))
			}
			wrong = append(wrong, kube.names(userName, text(found.Outputs, "name")))
			if !found.Existing {
				wrong = append(wrong, c.checkToken(kube.user(userName)))
			}
		case len(c.all(state.EKSCluster)) > 0:
			wrong = append(wrong, fmt.Errorf("the kubeconfig leads to %s, where no cluster of this account is",
				cluster.Cluster.Server))
		}
		return errors.Join(wrong...)
	}
	return fmt.Errorf("the kubernetes provider's kubeconfig has no cluster %q", clusterName)
}

// names refuses a user with a token for another cluster.
func (k kubeconfig) names(user, cluster string) error {
	if e := k.user(user); e != nil && e.Command == "aws" && !slices.Contains(e.Args, cluster) {
		return fmt.Errorf("the kubeconfig gets its token with `aws %s`, which does not name the cluster %s",
			strings.Join(e.Args, " "), cluster)
	}
	return nil
}

// user returns the program that gets a user's token, or nil.
func (k kubeconfig) user(name string) *kubeExec {
	for _, u := range k.Users {
		if u.Name == name {
			return u.User.Exec
		}
	}
	return nil
}

const autonamed = "pulumi.com/autonamed"

// Check names objects without a name and refuses malformed objects.
func (k *Kubernetes) Check(ctx context.Context, r plugin.CheckRequest) (plugin.CheckResponse, error) {
	news, secrets := k.cloud.registered(string(r.Type), r.Name, r.NewInputs)
	olds, _ := plain(r.OldInputs)
	named := k.cloud.nameObject(string(r.URN), r.Name, olds, news)
	in, err := k.cloud.Check(string(r.Type), string(r.URN), r.Name, olds, named)
	if in == nil {
		return plugin.CheckResponse{}, err
	}
	return plugin.CheckResponse{Properties: properties(in, secrets), Failures: failures(err)}, nil
}

// nameObject gives an object without a name a generated one. It keeps the name until it is replaced.
func (c *Cloud) nameObject(urn, name string, old, in Object) Object {
	c.mu.Lock()
	defer c.mu.Unlock()
	metadata, ok := in["metadata"].(Object)
	if !ok || metadata["name"] != nil {
		return in
	}
	in = clone(in)
	metadata = in["metadata"].(Object)
	if isAutonamed(old) {
		metadata["name"] = get(old, "metadata.name")
	} else {
		metadata["name"] = strings.ToLower(name) + "-" + c.fresh(urn, "hex8")
	}
	annotations, _ := metadata["annotations"].(Object)
	if annotations == nil {
		annotations = Object{}
	}
	annotations[autonamed] = "true"
	metadata["annotations"] = annotations
	return in
}

func isAutonamed(in Object) bool {
	annotations, _ := get(in, "metadata.annotations").(Object)
	return annotations[autonamed] == "true"
}

// Diff uses the table to decide which changes need a new object. Two objects cannot have the same name, so an object
// that keeps its name is deleted before its replacement is created.
func (k *Kubernetes) Diff(ctx context.Context, r plugin.DiffRequest) (plugin.DiffResponse, error) {
	d, err := k.Provider.Diff(ctx, r)
	if err != nil || d.Changes != plugin.DiffSome {
		return d, err
	}
	olds, _ := plain(r.OldInputs)
	news, _ := plain(r.NewInputs)
	d.DeleteBeforeReplace = d.Replace() && !isAutonamed(news) && objectName(olds) == objectName(news)
	return d, nil
}

// objectName returns an object's name with its namespace.
func objectName(in Object) string {
	return fmt.Sprint(get(in, "metadata.namespace"), "/", get(in, "metadata.name"))
}

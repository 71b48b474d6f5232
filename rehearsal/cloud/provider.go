package cloud

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path"
	"regexp"
	"strings"
	"sync"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/pkg/v3/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil/rpcerror"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
)

// Provider serves the cloud as the Pulumi package aws.
type Provider struct {
	plugin.UnimplementedProvider
	cloud *Cloud
	// Schema is the package's schema, which the engine needs for a program in YAML.
	Schema []byte
}

// GetSchema returns the schema.
func (p *Provider) GetSchema(context.Context, plugin.GetSchemaRequest) (plugin.GetSchemaResponse, error) {
	return plugin.GetSchemaResponse{Schema: p.Schema}, nil
}

// NewProvider makes the provider of the package aws.
func NewProvider(c *Cloud) *Provider { return &Provider{cloud: c} }

// Server is a set of providers on loopback.
type Server struct {
	// Debug is the value of PULUMI_DEBUG_PROVIDERS with which the engine finds them. Language is the value of
	// PULUMI_DEBUG_LANGUAGES.
	Debug, Language string
	servers         []*grpc.Server
	language        language
}

// oneAtATime runs the calls that prepare a provider alone. The engine starts a plugin's process for each provider
// resource. Here all of them share one server, and these calls change its fields.
func oneAtATime() grpc.UnaryServerInterceptor {
	var preparing sync.RWMutex
	return func(ctx context.Context, in any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
		switch path.Base(info.FullMethod) {
		case "Handshake", "Configure":
			preparing.Lock()
			defer preparing.Unlock()
		default:
			preparing.RLock()
			defer preparing.RUnlock()
		}
		return handle(ctx, in)
	}
}

// listen serves one plugin and returns its address, name:port.
func (s *Server) listen(name string, register func(*grpc.Server), options ...grpc.ServerOption) (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("listening for the plugin %s: %w", name, err)
	}
	// A cluster's node files are one message each; the engine itself allows 400 MB.
	server := grpc.NewServer(append(options, grpc.MaxRecvMsgSize(64<<20), grpc.UnaryInterceptor(oneAtATime()))...)
	register(server)
	s.servers = append(s.servers, server)
	go func() {
		// Serve returns an error only after Stop has closed the listener, which is the normal end.
		_ = server.Serve(listener)
	}()
	return fmt.Sprintf("%s:%d", name, listener.Addr().(*net.TCPAddr).Port), nil
}

// Serve serves each package's provider on loopback, in the given order.
func Serve(providers ...Package) (*Server, error) {
	s := &Server{}
	var found []string
	for _, p := range providers {
		var options []grpc.ServerOption
		switch of := p.Provider.(type) {
		case *Provider:
			options = append(options, grpc.StatsHandler(connections{of.cloud}))
		case *Kubernetes:
			options = append(options, grpc.StatsHandler(connections{of.cloud}))
		case *UnknownPackage:
			options = append(options, grpc.StatsHandler(connections{of.cloud}))
		}
		place, err := s.listen(p.Name, func(server *grpc.Server) {
			pulumirpc.RegisterResourceProviderServer(server, plugin.NewProviderServer(p.Provider))
		}, options...)
		if err != nil {
			s.Stop()
			return nil, err
		}
		found = append(found, place)
	}
	var err error
	if s.Language, err = s.listen("go", func(server *grpc.Server) {
		pulumirpc.RegisterLanguageRuntimeServer(server, &s.language)
	}); err != nil {
		s.Stop()
		return nil, err
	}
	s.Debug = strings.Join(found, ",")
	return s, nil
}

// Run makes the language run a built program in its directory.
func (s *Server) Run(program, dir string) { s.language.program, s.language.dir = program, dir }

// Package is a provider and its Pulumi package.
type Package struct {
	Name     string
	Provider plugin.Provider
}

// Stop closes every connection.
func (s *Server) Stop() {
	for _, server := range s.servers {
		server.Stop()
	}
}

// Pkg names the package.
func (p *Provider) Pkg() tokens.Package { return "aws" }

// Attach lets the engine use this provider instead of the downloaded one.
func (p *Provider) Attach(string) error { return nil }

// Handshake says that values have their types.
func (p *Provider) Handshake(
	context.Context, plugin.ProviderHandshakeRequest,
) (*plugin.ProviderHandshakeResponse, error) {
	return &plugin.ProviderHandshakeResponse{AcceptSecrets: true, AcceptResources: true}, nil
}

// GetPluginInfo gives the version of the SDK that the table was written for.
func (p *Provider) GetPluginInfo(context.Context) (plugin.PluginInfo, error) {
	version := semver.MustParse("6.83.4")
	return plugin.PluginInfo{Version: &version}, nil
}

// SignalCancellation does nothing: every call ends by itself.
func (p *Provider) SignalCancellation(context.Context) error { return nil }

// Close closes the journal.
func (p *Provider) Close() error { return p.cloud.Close() }

// CheckConfig accepts every configuration; Configure refuses invalid ones.
func (p *Provider) CheckConfig(
	_ context.Context, r plugin.CheckConfigRequest,
) (plugin.CheckConfigResponse, error) {
	return plugin.CheckConfigResponse{Properties: r.News}, nil
}

// DiffConfig compares provider configurations. A new region is another set of resources.
func (p *Provider) DiffConfig(_ context.Context, r plugin.DiffConfigRequest) (plugin.DiffConfigResponse, error) {
	detail := changes(r.OldInputs, r.NewInputs)
	if detail == nil {
		return plugin.DiffResult{Changes: plugin.DiffNone}, nil
	}
	if d, ok := detail["region"]; ok {
		detail["region"] = plugin.PropertyDiff{Kind: d.Kind.AsReplace(), InputDiff: true}
	}
	return plugin.DiffResult{Changes: plugin.DiffSome, DetailedDiff: detail}, nil
}

// Configure opens the region.
func (p *Provider) Configure(ctx context.Context, r plugin.ConfigureRequest) (plugin.ConfigureResponse, error) {
	config, _ := plain(r.Inputs)
	name := "aws"
	if r.Name != nil {
		name = *r.Name
	}
	sees := p.cloud.enter(config)
	p.cloud.configured(ctx, name, sees)
	return plugin.ConfigureResponse{}, sees.Configure(name, config)
}

// Check fills in defaults and refuses invalid inputs.
func (p *Provider) Check(ctx context.Context, r plugin.CheckRequest) (plugin.CheckResponse, error) {
	if err := p.cloud.checkOneProvider(ctx, string(r.URN)); err != nil {
		return plugin.CheckResponse{}, err
	}
	news, secrets := p.cloud.seenBy(ctx).registered(string(r.Type), r.Name, r.NewInputs)
	olds, _ := plain(r.OldInputs)
	in, err := p.cloud.seenBy(ctx).Check(string(r.Type), string(r.URN), r.Name, olds, news)
	if in == nil {
		return plugin.CheckResponse{}, err
	}
	return plugin.CheckResponse{Properties: properties(in, secrets), Failures: failures(err)}, nil
}

// failures returns one failure for each line of an error.
func failures(err error) []plugin.CheckFailure {
	if err == nil {
		return nil
	}
	var all []plugin.CheckFailure
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		for _, e := range joined.Unwrap() {
			all = append(all, failures(e)...)
		}
		return all
	}
	return []plugin.CheckFailure{{Reason: err.Error()}}
}

var indexes = regexp.MustCompile(`\[\d+\]`)

// Diff compares inputs and uses the table to decide which changes need a new resource.
func (p *Provider) Diff(_ context.Context, r plugin.DiffRequest) (plugin.DiffResponse, error) {
	t, err := p.cloud.typeOf(string(r.Type))
	if err != nil {
		return plugin.DiffResult{}, err
	}
	olds, _ := plain(r.OldInputs)
	news, _ := plain(r.NewInputs)
	detail := changes(properties(olds, nil), properties(news, nil))
	if detail == nil {
		return plugin.DiffResult{Changes: plugin.DiffNone}, nil
	}
	replaced := false
	for path, d := range detail {
		if t.Replaces(path, news) {
			replaced = true
			detail[path] = plugin.PropertyDiff{Kind: d.Kind.AsReplace(), InputDiff: true}
		}
	}
	return plugin.DiffResult{
		Changes: plugin.DiffSome, DetailedDiff: detail, DeleteBeforeReplace: replaced && (t.DeleteFirst || t.sameName(olds, news)),
	}, nil
}

// Create makes a resource.
func (p *Provider) Create(ctx context.Context, r plugin.CreateRequest) (plugin.CreateResponse, error) {
	in, secrets := plain(r.Properties)
	made, err := p.cloud.seenBy(ctx).Create(string(r.Type), string(r.URN), r.Name, in, secrets, r.Preview)
	if err != nil && made != nil {
		return plugin.CreateResponse{Status: resource.StatusPartialFailure}, made.unready(describe("creating", r.Type, r.Name, err))
	}
	if err != nil {
		return plugin.CreateResponse{Status: resource.StatusUnknown}, describe("creating", r.Type, r.Name, err)
	}
	return plugin.CreateResponse{ID: resource.ID(made.ID), Properties: properties(made.Outputs, made.Secrets)}, nil
}

// unready returns the error with which a provider reports a resource that exists but is not ready.
func (r *Resource) unready(why error) error {
	state, err := plugin.MarshalProperties(propertyMap(r.Outputs, r.Secrets), plugin.MarshalOptions{KeepSecrets: true})
	if err != nil {
		return fmt.Errorf("writing the state of %s: %w", r.describe(), err)
	}
	return rpcerror.WithDetails(rpcerror.New(codes.Unknown, why.Error()), &pulumirpc.ErrorResourceInitFailed{
		Id: r.ID, Properties: state, Reasons: []string{why.Error()},
	})
}

// describe adds the resource's name to an error.
func describe(doing string, token tokens.Type, name string, err error) error {
	return fmt.Errorf("%s %s %q: %w", doing, kind(string(token)), name, err)
}

// Read finds a resource as it is now.
func (p *Provider) Read(ctx context.Context, r plugin.ReadRequest) (plugin.ReadResponse, error) {
	state, _ := plain(r.State)
	found, err := p.cloud.seenBy(ctx).Read(string(r.Type), string(r.ID), state)
	if err != nil || found == nil {
		return plugin.ReadResponse{}, err
	}
	inputs, outputs := properties(found.Inputs, found.Secrets), properties(found.Outputs, found.Secrets)
	return plugin.ReadResponse{ReadResult: plugin.ReadResult{
		ID: resource.ID(found.ID), Inputs: &inputs, Outputs: &outputs,
	}}, nil
}

// Update changes a resource in place.
func (p *Provider) Update(ctx context.Context, r plugin.UpdateRequest) (plugin.UpdateResponse, error) {
	in, secrets := plain(r.NewInputs)
	old, _ := plain(r.OldOutputs)
	made, err := p.cloud.seenBy(ctx).Update(string(r.Type), string(r.ID), old, in, secrets, r.Preview)
	if err != nil {
		return plugin.UpdateResponse{Status: resource.StatusUnknown}, describe("updating", r.Type, r.Name, err)
	}
	return plugin.UpdateResponse{Properties: properties(made.Outputs, made.Secrets)}, nil
}

// Delete removes a resource.
func (p *Provider) Delete(ctx context.Context, r plugin.DeleteRequest) (plugin.DeleteResponse, error) {
	outputs, _ := plain(r.Outputs)
	if err := p.cloud.seenBy(ctx).Delete(string(r.Type), string(r.ID), outputs); err != nil {
		return plugin.DeleteResponse{Status: resource.StatusUnknown}, describe("deleting", r.Type, r.Name, err)
	}
	return plugin.DeleteResponse{}, nil
}

// Invoke calls a function.
func (p *Provider) Invoke(ctx context.Context, r plugin.InvokeRequest) (plugin.InvokeResponse, error) {
	if err := p.cloud.checkOneProvider(ctx, string(r.Tok)); err != nil {
		return plugin.InvokeResponse{}, err
	}
	args, _ := plain(r.Args)
	result, err := p.cloud.seenBy(ctx).Invoke(string(r.Tok), args)
	if err != nil {
		return plugin.InvokeResponse{}, err
	}
	return plugin.InvokeResponse{Properties: properties(result, nil)}, nil
}

package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/constant"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
)

// language is Go. It runs the built program of a team, as pulumi-language-go does (its main.go). `pulumi import` needs a
// language too, even if it writes no code.
type language struct {
	pulumirpc.UnimplementedLanguageRuntimeServer
	// program is the path of the built program, and dir its directory.
	program, dir string

	mu     sync.Mutex
	engine string
}

func (*language) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: "3.274.1"}, nil
}

// Handshake keeps the engine's address for the program.
func (l *language) Handshake(
	_ context.Context, r *pulumirpc.LanguageHandshakeRequest,
) (*pulumirpc.LanguageHandshakeResponse, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.engine = r.EngineAddress
	return &pulumirpc.LanguageHandshakeResponse{}, nil
}

// GetRequiredPackages names none: all providers of the program are here.
func (*language) GetRequiredPackages(
	context.Context, *pulumirpc.GetRequiredPackagesRequest,
) (*pulumirpc.GetRequiredPackagesResponse, error) {
	return &pulumirpc.GetRequiredPackagesResponse{}, nil
}

// Run runs the program. The program's output reaches the engine through its log, and its end through the answer.
func (l *language) Run(ctx context.Context, r *pulumirpc.RunRequest) (*pulumirpc.RunResponse, error) {
	configuration, err := json.Marshal(r.Config)
	if err != nil {
		return nil, fmt.Errorf("writing the program's configuration: %w", err)
	}
	secrets, err := json.Marshal(r.ConfigSecretKeys)
	if err != nil {
		return nil, fmt.Errorf("writing the program's configuration: %w", err)
	}
	l.mu.Lock()
	engine := l.engine
	l.mu.Unlock()
	cmd := exec.CommandContext(ctx, l.program) //nolint:gosec // the program that was built for this rehearsal
	cmd.Dir = l.dir
	cmd.Env = os.Environ()
	for name, value := range map[string]string{
		pulumi.EnvProject: r.Project, pulumi.EnvStack: r.Stack, pulumi.EnvOrganization: r.Organization,
		pulumi.EnvPulumiRootDirectory: l.dir, pulumi.EnvConfig: string(configuration), pulumi.EnvConfigSecretKeys: string(secrets),
		pulumi.EnvDryRun: strconv.FormatBool(r.DryRun), pulumi.EnvParallel: strconv.Itoa(int(r.Parallel)),
		pulumi.EnvMonitor: r.MonitorAddress, pulumi.EnvEngine: engine,
	} {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	out, err := cmd.CombinedOutput()
	answer := &pulumirpc.RunResponse{}
	var ended *exec.ExitError
	switch {
	case errors.As(err, &ended) && ended.ExitCode() == constant.ExitStatusLoggedError:
		// Its error is in the engine's log already.
		answer.Bail = true
	case errors.As(err, &ended):
		answer.Error = strings.TrimSpace(fmt.Sprintf("the program ended with %s\n%s", ended, out))
	case err != nil:
		return nil, fmt.Errorf("starting the program: %w", err)
	}
	return answer, nil
}

package rehearse

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"gopkg.in/yaml.v3"

	"github.com/wso2is-aws/wso2is/config/stackfile"
	"github.com/wso2is-aws/wso2is/rehearsal/cloud"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// Checkpoint is a saved session. JSON stores it for another process.
type Checkpoint struct {
	// State are the files of the engine's state.
	State map[string]string `json:"state"`
	// Account is the offline cloud's account.
	Account cloud.Checkpoint `json:"account"`
	// Configuration is the stack file's by full key, without secrets.
	Configuration map[string]any `json:"configuration"`
	// file is the stack file with its encrypted values. secrets are these values by full key. A checkpoint in a file has neither.
	file    []byte
	secrets map[string]string
}

// Save returns a copy of the session, for several attempts from the same state.
func (s *Session) Save() (*Checkpoint, error) {
	c := &Checkpoint{
		State: map[string]string{}, Account: s.Cloud.Save(), Configuration: s.Configuration(), secrets: maps.Clone(s.secrets),
	}
	var err error
	if c.file, err = os.ReadFile(s.stackFile()); err != nil {
		return nil, fmt.Errorf("keeping the stack file: %w", err)
	}
	root := filepath.Join(s.dir, "state")
	err = filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		c.State[name] = string(content)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("keeping the state: %w", err)
	}
	return c, nil
}

// Restore takes the session back to a checkpoint.
func (s *Session) Restore(to *Checkpoint) error {
	root := filepath.Join(s.dir, "state")
	if err := os.RemoveAll(root); err != nil {
		return fmt.Errorf("taking the state back: %w", err)
	}
	for name, content := range to.State {
		path := filepath.Join(root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(content), 0o600)); err != nil {
			return fmt.Errorf("taking the state back: %w", err)
		}
	}
	if err := s.Cloud.Restore(to.Account); err != nil {
		return err
	}
	if to.file != nil {
		if err := os.WriteFile(s.stackFile(), to.file, 0o600); err != nil {
			return fmt.Errorf("taking the stack file back: %w", err)
		}
		s.secrets = maps.Clone(to.secrets)
	}
	return s.Configure(to.Configuration)
}

// stackFile is the path of the session's stack file.
func (s *Session) stackFile() string { return filepath.Join(s.dir, "Pulumi."+s.o.Stack+".yaml") }

// Configuration returns the stack file's configuration by full key, without secrets.
func (s *Session) Configuration() map[string]any { return state.Clone(s.config).(map[string]any) }

// Configure replaces the configuration of the stack file. Secrets stay.
func (s *Session) Configure(config map[string]any) error {
	values, err := stackfile.Texts(config)
	if err != nil {
		return err
	}
	path := s.stackFile()
	raw, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("changing the configuration: %w", err)
	}
	file := struct {
		Config map[string]any `yaml:"config"`
		// Rest are the engine's other values in the file, such as the salt of its secrets.
		Rest map[string]any `yaml:",inline"`
	}{}
	if err := yaml.Unmarshal(raw, &file); err != nil {
		return fmt.Errorf("changing the configuration: %w", err)
	}
	encrypted := map[string]any{}
	for key := range s.secrets {
		encrypted[key] = file.Config[key]
	}
	file.Config = maps.Clone(config)
	if file.Config == nil {
		file.Config = map[string]any{}
	}
	maps.Copy(file.Config, encrypted)
	if raw, err = yaml.Marshal(file); err == nil {
		err = os.WriteFile(path, raw, 0o600)
	}
	if err != nil {
		return fmt.Errorf("changing the configuration: %w", err)
	}
	s.config = state.Clone(config).(map[string]any)
	s.configuration = maps.Clone(values)
	maps.Copy(s.configuration, s.secrets)
	return s.export(values)
}

// Give sets secret values by path, such as wso2is:admin.password, as `pulumi config set --path --secret` does. A key with a
// secret value is secret as a whole.
func (s *Session) Give(ctx context.Context, given map[string]string) error {
	plain, secrets, err := stackfile.Give(s.config, s.secrets, given)
	if err != nil {
		return err
	}
	if err := s.encrypt(ctx, secrets); err != nil {
		return err
	}
	s.secrets = secrets
	return s.Configure(plain)
}

// encrypt writes the values of secret keys into the stack file.
func (s *Session) encrypt(ctx context.Context, values map[string]string) error {
	secrets := auto.ConfigMap{}
	for key, value := range values {
		secrets[key] = auto.ConfigValue{Value: value, Secret: true}
	}
	if err := s.Stack.SetAllConfig(ctx, secrets); err != nil {
		return fmt.Errorf("setting secret configuration: %w", err)
	}
	return nil
}

// Plain returns the configuration as the engine passes it to a program, by full key and with secrets.
func (s *Session) Plain() map[string]string { return maps.Clone(s.configuration) }

// Pulumi runs a command of the Pulumi CLI that needs no program, and returns its output.
func (s *Session) Pulumi(ctx context.Context, args ...string) (string, error) {
	w := s.Stack.Workspace()
	env := []string{"PULUMI_HOME=" + w.PulumiHome(), "PULUMI_DEBUG_LANGUAGES=" + s.server.Language}
	for name, value := range w.GetEnvVars() {
		env = append(env, name+"="+value)
	}
	out, errOut, _, err := w.PulumiCommand().Run(ctx, w.WorkDir(), nil, nil, nil, env, args...)
	if err != nil {
		return out, fmt.Errorf("pulumi %s: %w: %s%s", args[0], err, out, errOut)
	}
	return out, nil
}

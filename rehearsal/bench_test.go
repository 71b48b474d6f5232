package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/rehearsal/rehearse"
	"github.com/wso2is-aws/wso2is/stacks"
)

// options rehearse Pulumi.dev.yaml with another number of nodes, each with several resources.
func options(b *testing.B, nodes int) rehearse.Options {
	b.Helper()
	root := os.Getenv("PULUMI_ROOT")
	if root == "" {
		b.Skip("PULUMI_ROOT names no directory with bin/pulumi; run make bench")
	}
	text, err := os.ReadFile(filepath.Join("..", "Pulumi.dev.yaml"))
	if err != nil {
		b.Fatal(err)
	}
	changed := strings.Replace(string(text), "count: 2", fmt.Sprintf("count: %d", nodes), 1)
	if nodes != 2 && changed == string(text) {
		b.Fatal("Pulumi.dev.yaml no longer says count: 2")
	}
	// Many nodes need more connections than the class of dev allows.
	changed += "\n  wso2is:database: {instance: {class: db.m6g.2xlarge}}\n"
	file := filepath.Join(b.TempDir(), "Pulumi.dev.yaml")
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
		b.Fatal(err)
	}
	return rehearse.Options{
		Program: stacks.Deploy, Project: "wso2is", Stack: "dev", StackFile: file, Pulumi: root, Out: b.TempDir(), Output: io.Discard,
	}
}

var sizes = []int{2, 10, 50, 100}

// peak reports the largest memory use of this process and of its child processes.
func peak(b *testing.B) {
	b.Helper()
	for who, name := range map[int]string{syscall.RUSAGE_SELF: "program-MiB", syscall.RUSAGE_CHILDREN: "engine-MiB"} {
		var usage syscall.Rusage
		if err := syscall.Getrusage(who, &usage); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(usage.Maxrss)/1024, name)
	}
}

func BenchmarkPreview(b *testing.B) {
	for _, nodes := range sizes {
		b.Run(fmt.Sprintf("nodes=%d", nodes), func(b *testing.B) {
			ctx := context.Background()
			s, err := rehearse.Open(ctx, options(b, nodes))
			if err != nil {
				b.Fatal(err)
			}
			defer func() {
				if err := s.Close(); err != nil {
					b.Error(err)
				}
			}()
			for b.Loop() {
				if _, err := s.Preview(ctx); err != nil {
					b.Fatal(err)
				}
			}
			peak(b)
		})
	}
}

// spent returns the processor time of this process and of its finished child processes. Other work on the machine does not
// change it much.
func spent(b *testing.B) time.Duration {
	b.Helper()
	total := time.Duration(0)
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var usage syscall.Rusage
		if err := syscall.Getrusage(who, &usage); err != nil {
			b.Fatal(err)
		}
		total += time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	}
	return total
}

// plain runs preview, up, up, refresh and destroy of an empty program through the Automation API, with nothing of this project.
func plain(b *testing.B) {
	ctx, dir := context.Background(), b.TempDir()
	command, err := auto.NewPulumiCommand(&auto.PulumiCommandOptions{Root: os.Getenv("PULUMI_ROOT")})
	if err != nil {
		b.Fatal(err)
	}
	s, err := auto.NewStackInlineSource(ctx, "dev", "empty", func(*pulumi.Context) error { return nil }, auto.Pulumi(command),
		auto.WorkDir(b.TempDir()), auto.PulumiHome(b.TempDir()), auto.SecretsProvider("passphrase"),
		auto.EnvVars(map[string]string{"PULUMI_BACKEND_URL": "file://" + dir, "PULUMI_CONFIG_PASSPHRASE": "benchmark"}))
	if err != nil {
		b.Fatal(err)
	}
	for _, do := range []func() error{
		func() error { _, err := s.Preview(ctx); return err }, func() error { _, err := s.Up(ctx); return err },
		func() error { _, err := s.Up(ctx); return err }, func() error { _, err := s.Refresh(ctx); return err },
		func() error { _, err := s.Destroy(ctx); return err },
	} {
		if err := do(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRatios compares the rehearsal of prod with the engine's floor, in one run, so that the ratios are comparable between
// machines: preview, up, up, refresh and destroy of a stack without resources. All are ratios of processor time. Empty is the
// rehearsal of such a stack, and members the time of 100 fixed members in relation to ten times that of 10.
func BenchmarkRatios(b *testing.B) {
	took := func(do func()) time.Duration {
		began := spent(b)
		do()
		return spent(b) - began
	}
	rehearsed := func(o rehearse.Options) time.Duration {
		return took(func() {
			if err := rehearse.Run(context.Background(), o); err != nil {
				b.Fatal(err)
			}
		})
	}
	for b.Loop() {
		nothing, prod := options(b, 2), options(b, 2)
		nothing.StackFile, nothing.Program = "", func(*pulumi.Context) error { return nil }
		prod.Stack, prod.StackFile, prod.Prove = "prod", filepath.Join("..", "Pulumi.prod.yaml"), prover(b.TempDir(), "prod")
		floor, empty, whole := took(func() { plain(b) }), rehearsed(nothing), rehearsed(prod)
		ten, hundred := rehearsed(options(b, 10)), rehearsed(options(b, 100))
		b.ReportMetric(floor.Seconds(), "floor-CPU-s")
		b.ReportMetric(empty.Seconds(), "empty-CPU-s")
		b.ReportMetric(whole.Seconds(), "prod-CPU-s")
		b.ReportMetric(whole.Seconds()/floor.Seconds(), "prod/floor")
		b.ReportMetric(whole.Seconds()/empty.Seconds(), "prod/empty")
		b.ReportMetric(hundred.Seconds()/(10*ten.Seconds()), "members/linear")
	}
}

func BenchmarkRehearsal(b *testing.B) {
	for _, nodes := range sizes {
		b.Run(fmt.Sprintf("nodes=%d", nodes), func(b *testing.B) {
			o := options(b, nodes)
			for b.Loop() {
				if err := rehearse.Run(context.Background(), o); err != nil {
					b.Fatal(err)
				}
			}
			peak(b)
		})
	}
}

# Everything this project does, on a machine with Go and make. Downloads and tools of its own stay in .cache/.
STACK ?= dev
GO ?= go
PULUMI := .cache/pulumi/bin/pulumi
VERSION := v3.250.0

.PHONY: build test rehearse bench docs lint clean

build: ## the program, where Pulumi.yaml expects it
	$(GO) build -o bin/wso2is .

test: $(PULUMI) ## all tests of both modules, race detector on
	$(GO) vet ./...
	$(GO) test -race -timeout 20m ./...
	cd rehearsal && $(GO) vet ./... && $(GO) test -race -timeout 20m ./...

rehearse: $(PULUMI) ## the whole life of a stack, without an account: make rehearse STACK=prod
	@cd rehearsal && $(GO) build -o ../.cache/rehearse .
	@.cache/rehearse -stack $(STACK) -project . -pulumi $(CURDIR)/.cache/pulumi

# The Pulumi command is built from its own module: nothing needs to be installed first.
$(PULUMI):
	@echo "building the pulumi command $(VERSION), once; this takes some minutes"
	@mkdir -p $(dir $@)
	cd rehearsal && $(GO) build -ldflags "-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=$(VERSION)" \
		-o ../$@ github.com/pulumi/pulumi/pkg/v3/cmd/pulumi

bench: $(PULUMI) ## figures for docs/performance.md
	cd rehearsal && $(GO) test -run '^$$' -bench . -benchtime 1x ./...

docs: ## docs/configuration.md and docs/wso2is.schema.json
	$(GO) run ./config/gen

lint:
	GOBIN=$(CURDIR)/.cache/bin $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
	.cache/bin/golangci-lint run ./...

clean:
	rm -rf bin out .cache

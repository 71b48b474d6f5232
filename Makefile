# All targets need only Go and make. They build into bin/ and .cache/.

PULUMI_VERSION := v3.274.1
GOLANGCI_VERSION := v2.15.0
# The scanner that a test of rehearsal/proof needs, in this release.
CHECKOV_VERSION := 3.3.30

# A pulumi on PATH of the same minor version is used. Otherwise it is built once from its Go module.
PATH_PULUMI := $(shell pulumi version 2>/dev/null | grep -E '^$(basename $(PULUMI_VERSION))\.')
PULUMI_HOME_DIR := $(if $(PATH_PULUMI),,.cache/pulumi-$(PULUMI_VERSION))
PULUMI_BIN := $(if $(PULUMI_HOME_DIR),$(PULUMI_HOME_DIR)/bin/pulumi)

.PHONY: build test rehearse prove drill prices preflight bench docs lint clean

## build: the Pulumi program, where Pulumi.yaml expects it
build:
	go build -o bin/wso2is .

# REPORT prints what go test -json writes, and keeps what was skipped for the end.
REPORT := $(abspath .cache/report)
SKIPPED := $(abspath .cache/skipped)

# TELL runs a long command, and says every half minute what is done and for how long.
TELL = tell() { what=$$1; shift; began=$$(date +%s); "$$@" & child=$$!; \
	while n=0; while [ $$n -lt 30 ] && kill -0 $$child 2>/dev/null; do sleep 1; n=$$((n + 1)); done; kill -0 $$child 2>/dev/null; \
	do echo "$$what, for $$(($$(date +%s) - began)) s so far"; done; wait $$child; }; tell

# The packages that take longest are named first, so that none of them runs alone at the end. go test need not vet again
# what go vet has.

## test: every test of every module, with the race detector except for the API server's code and the provider; at its end, what was skipped
test: $(PULUMI_BIN)
	go build -o $(REPORT) ./tests/report
	@rm -f $(SKIPPED)
	go vet ./...
	go test -json -vet=off -race -timeout 30m ./components/bootstrap ./tests ./... | $(REPORT) $(SKIPPED)
	cd rehearsal && go vet ./... && PULUMI_ROOT=$(abspath $(PULUMI_HOME_DIR)) go test -json -vet=off -race -timeout 60m . ./proof ./... | $(REPORT) $(SKIPPED)
	cd rehearsal/apiserver && go vet ./... && go test -json -vet=off ./... | $(REPORT) $(SKIPPED)
	cd preflight && go vet ./... && go test -json -vet=off -race ./... | $(REPORT) $(SKIPPED)
	cd provider && go vet ./... && go test -json -vet=off ./... | $(REPORT) $(SKIPPED)
	@$(REPORT) -skipped $(SKIPPED)

# Without tables for debuggers, the rehearsal is linked in three quarters of the time.
REHEARSAL := go build -ldflags=-w -o ../.cache/rehearsal .

## rehearse: up and destroy of STACK (dev) without an account. FAULTS=all, sample or a regular expression disturbs calls.
## CHANGE=all or a name makes changes to a running cluster. MUTANTS=all or a regular expression checks whether rehearsals detect damage. These
## run on every shipped stack unless STACK names one. RESTORE=damaged, gone, elsewhere, account or all restores the data of
## STACK (prod) with the commands of docs/operations.md. With FAULTS beside RESTORE=damaged, calls of that restore fail.
## PROGRAM names the directory of a program of your own, in Go or YAML, whose clusters are rehearsed among its other resources.
rehearse: $(PULUMI_BIN)
	@cd rehearsal && $(TELL) "Building the program and the rehearsal: minutes the first time" $(REHEARSAL)
	.cache/rehearsal --project . $(if $(STACK),--stack $(STACK)) $(if $(FAULTS),--faults '$(FAULTS)') \
		$(if $(CHANGE),--change $(CHANGE)) $(if $(MUTANTS),--mutants '$(MUTANTS)') $(if $(RESTORE),--restore $(RESTORE)) $(if $(PROGRAM),--program '$(PROGRAM)') $(if $(PULUMI_HOME_DIR),--pulumi $(PULUMI_HOME_DIR)) $(ARGS)

## prove: prove the claims of a rehearsal about deployed stacks. STATE is what pulumi stack export prints, or pulumi preview --json
## --show-sames; paths have commas between them. JUNIT names a file for a JUnit report, and SARIF one for a SARIF log.
prove:
	@[ -n '$(STATE)' ] || { echo "give STATE=<file>: pulumi stack export -s <stack> writes one"; exit 1; }
	@cd rehearsal && $(TELL) "Building the proofs: minutes the first time" $(REHEARSAL)
	.cache/rehearsal --project . --prove '$(STATE)' $(if $(JUNIT),--junit '$(JUNIT)') $(if $(SARIF),--sarif '$(SARIF)') $(if $(FILE),--file '$(FILE)')

## drill: start STACK (dev) on this machine as its rehearsed state says, with stand-ins for the product or PRODUCT=<its archive>, and break it
drill: $(PULUMI_BIN)
	cd rehearsal && $(REHEARSAL)
	.cache/rehearsal --project . --drill $(if $(STACK),--stack $(STACK)) $(if $(PRODUCT),--product '$(PRODUCT)') $(if $(PULUMI_HOME_DIR),--pulumi $(PULUMI_HOME_DIR)) $(ARGS)

# UNTUNED are packages that the compiler does not optimize: those of the command around its engine, which work for moments.
UNTUNED := $(addprefix github.com/pulumi/pulumi/pkg/v3/,backend cmd codegen)

# The command has no states in clouds and no commands of Pulumi Cloud (rehearsal/pulumi): it builds in half of the time.
$(PULUMI_BIN):
	@echo "Building pulumi $(PULUMI_VERSION) once: about two minutes on two cores. A pulumi of that minor version on PATH would serve."
	cd rehearsal && go run ./pulumi ../.cache/pulumi-source
	@cd rehearsal && $(TELL) "Building pulumi $(PULUMI_VERSION)" go build -modfile=../.cache/pulumi-source/go.mod $(foreach p,$(UNTUNED),-gcflags='$(p)/...=-N -l') \
		-ldflags "-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=$(PULUMI_VERSION)" \
		-o ../$@ github.com/pulumi/pulumi/pkg/v3/cmd/pulumi
	rm -rf .cache/pulumi-source

## prices: reads AWS's public list prices of REGIONS (eu-west-1, separated by commas) for the cost of a month
prices:
	cd rehearsal && $(REHEARSAL)
	.cache/rehearsal --project . --prices $(or $(REGIONS),eu-west-1)

## preflight: checks with the caller's credentials, read-only, that the account has what the first update of STACK (dev) needs
preflight:
	cd preflight && go build -o ../.cache/preflight .
	.cache/preflight --project . $(if $(STACK),--stack $(STACK)) $(ARGS)

## bench: the benchmarks of both modules, with the engine's floor and the ratios to it (docs/performance.md)
bench: $(PULUMI_BIN)
	go test -run '^$$' -bench . -benchmem ./...
	cd rehearsal && PULUMI_ROOT=$(abspath $(PULUMI_HOME_DIR)) go test -run '^$$' -bench . -benchtime 3x ./...

## docs: generates the configuration reference, the editors' schema and the provider's descriptions from the types of the
## configuration and of the component
docs:
	go run ./config/gen

## lint: golangci-lint over every module
lint: .cache/golangci-lint-$(GOLANGCI_VERSION)/golangci-lint
	$(abspath $<) run ./...
	cd rehearsal && $(abspath $<) run ./...
	cd rehearsal/apiserver && $(abspath $<) run ./...
	cd preflight && $(abspath $<) run ./...
	cd provider && $(abspath $<) run ./...

.cache/golangci-lint-$(GOLANGCI_VERSION)/golangci-lint:
	GOBIN=$(abspath $(@D)) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)

## clean: deletes build results and rehearsals, except those that take minutes to build
clean:
	rm -rf bin out .cache/rehearsal .cache/rehearsal-change .cache/preflight

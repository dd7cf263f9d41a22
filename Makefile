# Every target runs unattended; `make` alone lists them.
# Build output goes to CARGO_TARGET_DIR when that is set, else to target/.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

ARGS ?=
SEED ?=
RUNS ?=

# Queries are checked against the data in .sqlx, never against a database that the
# caller's environment happens to name. `make sqlx` refreshes the data.
export SQLX_OFFLINE := true

.PHONY: help setup test conformance demo bench simulate lint sqlx image

help: ## list the targets
	@grep -hE '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

setup: ## install what is missing: C compiler, Postgres programs, cargo-nextest
	@.ci/setup.sh build runtime test

test: ## run all tests beside a private Postgres
	@.ci/setup.sh build runtime test
	@.ci/with-postgres.sh cargo nextest run --workspace $(ARGS)
	@cargo test --quiet --workspace --doc

conformance: ## play sessions of third-party Salesforce clients, fetched unmodified
	@.ci/setup.sh build clients
	@cargo build --quiet --package syncline
	@.ci/conformance.sh "$${CARGO_TARGET_DIR:-target}/debug/syncline"

demo: ## run the main job: two simulated systems kept in agreement. ARGS="--once --json"
	@.ci/setup.sh build runtime
	@cargo build --release --quiet --package syncline
	@cargo run --release --quiet --package syncline --bin syncline -- demo $(ARGS)

bench: ## measure, beside the targets. ARGS=...
	@.ci/setup.sh build runtime
	@cargo build --release --quiet --package syncline-bench
	@.ci/with-postgres.sh cargo run --release --quiet --package syncline-bench -- $(ARGS)

simulate: ## play seeded histories with faults. SEED=7 RUNS=100000
	@.ci/setup.sh build
	@cargo run --release --quiet --package syncline-simulation -- \
		$(if $(SEED),--seed $(SEED)) $(if $(RUNS),--runs $(RUNS)) $(ARGS)

lint: ## formatting, clippy with warnings as errors, freshness of the query data
	@.ci/setup.sh build runtime
	@cargo fmt --all --check
	@cargo clippy --quiet --workspace --all-targets -- --deny warnings
	@cargo clippy --quiet --package syncline --features otlp -- --deny warnings
	@.ci/with-postgres.sh .ci/sqlx-data.sh check

sqlx: ## refresh .sqlx, the query data that builds without a database use
	@.ci/setup.sh build runtime
	@.ci/with-postgres.sh .ci/sqlx-data.sh write

image: ## build the container image
	@docker build --tag syncline .

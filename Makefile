# What people do with this tree: `make test` is everything a change must pass, and installs what that needs.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help test prepare format lint unit elsewhere docs bench fmt update

# The throw-away Python whose logging libraries write the logs of tests/producers.rs.
export LOGTALLY_TEST_PYTHON ?= $(CURDIR)/.venv/bin/python
export CARGO_TERM_COLOR ?= auto
CARGO ?= cargo

help: ## Say what there is to do
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

test: ## Install what tests need, then check format, lints, tests and docs
	@.ci/prepare
	@$(MAKE) --no-print-directory format
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory unit
	@$(MAKE) --no-print-directory docs
	@echo "make test: all good"

prepare: ## Install what tests need, where it is missing
	@.ci/prepare

format: ## Check the format
	$(CARGO) fmt --check

lint: ## Check the lints, also of what only systems other than Linux run
	$(CARGO) clippy --lib --bins --locked -- -D warnings --cfg logtally_portable
	$(CARGO) clippy --all-targets --locked -- -D warnings

unit: ## Run all tests
	@if $(CARGO) nextest --version >/dev/null 2>&1; then \
	  set -x; $(CARGO) nextest run --locked --no-fail-fast; $(CARGO) test --doc --locked; \
	else \
	  set -x; $(CARGO) test --locked --no-fail-fast; \
	fi

elsewhere: ## Run the unit tests as on a system other than Linux: no inotify, no /proc
	@tests=$$($(CARGO) rustc --lib --profile test --locked --message-format=json-render-diagnostics \
	  -- --cfg logtally_portable | sed -n 's/.*"executable":"\([^"]*\)".*/\1/p'); "$$tests"

docs: ## Build the API's documentation; a broken link is an error
	RUSTDOCFLAGS="-D warnings -A rustdoc::private_intra_doc_links" $(CARGO) doc --no-deps --locked --document-private-items

bench: ## Compare the speed with other tools
	benches/compare.sh

fmt: ## Format the code
	$(CARGO) fmt

update: ## Write golden and generated files anew; look at the difference before committing it
	UPDATE=1 $(CARGO) test --locked
	git --no-pager diff --stat

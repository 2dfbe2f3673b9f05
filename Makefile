# Every target that people use says what it does behind two hashes; `make` alone lists them.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/sh

VENV   := .venv
BIN    := $(VENV)/bin
MARKS  := .make
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
            $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
UI     := $(wildcard ui/*.json ui/*.mjs ui/.npmrc ui/src/* ui/src/*/* ui/src/*/*/*)
JOBS   ?= 2
DATA   ?= demo-data
ARGS   ?=
COMPILE = $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet

.PHONY: help
help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

.PHONY: demo
demo: env  ## set up, start everything on embedded engines with the living demo site, print the address and the first log-in
	@$(BIN)/watchword --data $(DATA) demo $(ARGS)

.PHONY: test
test: env-dev $(MARKS)/oscal system  ## set up, run lint, types, contracts and every test, end with a summary
	@$(MAKE) --no-print-directory lint types contracts
	@rm -f $(MARKS)/junit.xml
	@set +e; $(BIN)/pytest -n $(JOBS) --dist loadfile --junitxml=$(MARKS)/junit.xml $(ARGS); status=$$?; \
	 $(BIN)/python tests/architecture/closing.py $(MARKS)/junit.xml tests/allowed_skips.txt $$status

.PHONY: env
env: $(MARKS)/install  ## make the virtual environment, install, build the pages

.PHONY: env-dev
env-dev: $(MARKS)/dev

.PHONY: ui
ui: $(MARKS)/locked $(MARKS)/node  ## build the pages' scripts and styles again
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $(MARKS)/install

.PHONY: lint
lint: env-dev  ## check style and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet . || { $(BIN)/ruff format --check .; echo "Remedy: make format"; exit 1; }

.PHONY: types
types: env-dev  ## check types
	@$(BIN)/mypy

.PHONY: contracts
contracts: env-dev  ## check who imports whom
	@$(BIN)/lint-imports

.PHONY: format
format: env-dev  ## rewrite the format, mend what can be mended
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

.PHONY: bench
bench: env-dev  ## measure every claim that the README makes; takes some ten minutes, wants an idle machine
	@for each in store_insert "store_queries --events 1000000" wire_to_searchable acknowledge pages response_pages finding_to_page memory orders measures gaming_table closures_versus_value loss; do \
	   set -- $$each; name=$$1; shift; echo "== bench/$$name.py $$*"; $(BIN)/python bench/$$name.py "$$@" || exit 1; echo; done

.PHONY: lock
lock: $(MARKS)/dev  ## resolve and pin the dependencies again
	@$(PIP) install uv
	@$(COMPILE) pyproject.toml --group build --output-file requirements.txt
	@$(COMPILE) --group node --output-file requirements-node.txt
	@$(COMPILE) pyproject.toml --group build --extra dev --constraint requirements.txt --output-file requirements-dev.txt
	@$(COMPILE) --group oscal --output-file requirements-oscal.txt

.PHONY: clean
clean:  ## remove what the targets above made, but no data
	rm -rf $(VENV) $(MARKS) build dist ui/node_modules src/watchword/web/static/dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# --- the steps; each leaves a mark, so that a second run is instant ---

$(MARKS)/venv:
	@mkdir -p $(MARKS)
	@if [ -z "$(PYTHON)" ]; then echo "Watchword needs Python 3.11 or newer; found: $$(python3 --version 2>&1)." >&2; \
	   echo "Remedy: apt-get install python3 (Debian 12 and Ubuntu 24.04 or newer), or make PYTHON=/path/to/python3.11" >&2; exit 1; fi
	@if [ ! -x $(BIN)/python ] || ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
	   if ! $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then \
	     package=$$($(PYTHON) -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'); \
	     if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	       echo "Installing $$package"; apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $$package >/dev/null; \
	     else echo "Python's venv module is not installed. Remedy: sudo apt-get install -y $$package" >&2; exit 1; fi; fi; \
	   echo "Making $(VENV) with $$($(PYTHON) --version)"; $(PYTHON) -m venv $(VENV); fi
	@touch $@

$(MARKS)/locked: requirements.txt | $(MARKS)/venv
	@echo "Installing what Watchword needs (some 300 MB the first time)"
	@$(PIP) install --require-hashes --requirement requirements.txt
	@touch $@

$(MARKS)/node: requirements-node.txt | $(MARKS)/venv
	@if ! { command -v npm && node -e 'process.exit(process.versions.node.split(".")[0] < 20)'; } >/dev/null 2>&1 \
	   && [ -z "$$WATCHWORD_SKIP_UI" ]; then \
	   echo "Installing Node, to build the pages"; $(PIP) install --require-hashes --requirement requirements-node.txt; fi
	@touch $@

$(MARKS)/install: pyproject.toml hatch_build.py $(UI) | $(MARKS)/locked $(MARKS)/node
	@echo "Installing Watchword, building the pages"
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(MARKS)/dev: requirements-dev.txt | $(MARKS)/install
	@echo "Installing what the tests need"
	@$(PIP) install --require-hashes --requirement requirements-dev.txt
	@touch $@

$(MARKS)/oscal: requirements-oscal.txt | $(MARKS)/venv
	@echo "Installing the OSCAL validator, in an environment of its own"
	@$(BIN)/python -m venv $(MARKS)/trestle
	@$(MARKS)/trestle/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes --requirement requirements-oscal.txt
	@touch $@

.PHONY: system
system:
	@missing=; \
	 command -v chromium >/dev/null || missing="$$missing chromium"; \
	 command -v postgres >/dev/null || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing="$$missing postgresql"; \
	 command -v slapd >/dev/null || [ -x /usr/sbin/slapd ] || missing="$$missing slapd"; \
	 if [ -n "$$missing" ]; then \
	   if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	     echo "Installing$$missing"; apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	   else echo "The tests need$$missing. Remedy: sudo apt-get install -y --no-install-recommends$$missing" >&2; exit 1; fi; fi

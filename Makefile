# Jeoul — two commands: `make run` and `make test`.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
UV := uv==0.13.8

.PHONY: help run setup test check bench storm kills mutants screens fmt ci

help: ## what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

$(VENV)/.made:
	$(PYTHON) -m venv $(VENV)
	@$(PY) -m pip install -q --disable-pip-version-check "$(UV)" || echo "uv not available, using pip"
	@touch $@

# uv where it could be had, pip otherwise: the same pins either way
$(VENV)/.base: requirements/base.txt $(VENV)/.made
	@echo "installing what 'make run' needs …"
	@$(PY) -m uv pip install -q --python $(PY) -r requirements/base.txt || $(PY) -m pip install -q --disable-pip-version-check -r requirements/base.txt
	@touch $@

$(VENV)/.test: requirements/test.txt $(VENV)/.base
	@echo "installing what the tests need …"
	@$(PY) -m uv pip install -q --python $(PY) -r requirements/base.txt -r requirements/test.txt || $(PY) -m pip install -q --disable-pip-version-check -r requirements/base.txt -r requirements/test.txt
	@touch $@

$(VENV)/.messages: $(wildcard locale/*/LC_MESSAGES/*.po) $(VENV)/.base
	@$(PY) -m config.i18n
	@touch $@

run: $(VENV)/.base $(VENV)/.messages ## start everything; prints the address and a login
	@exec $(PY) manage.py up

setup: $(VENV)/.base $(VENV)/.messages $(VENV)/.test ## install only

test: $(VENV)/.test $(VENV)/.messages ## the whole suite, on SQLite and on PostgreSQL with Redis
	@exec $(PY) tests/run.py

check: $(VENV)/.test $(VENV)/.messages ## lint, types, import contracts, security, migrations
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/lint-imports
	@$(VENV)/bin/mypy config trading portfolio strategies rebalancing
	@$(VENV)/bin/bandit -q -r -ll config trading portfolio strategies rebalancing
	@$(PY) manage.py makemigrations --check --dry-run

bench: $(VENV)/.test ## benchmarks into bench.json; NAME=… for one
	@exec $(PY) -m benchmarks $(NAME)

storm: $(VENV)/.test ## random days with faults, judged by every law; SEEDS=a-b STORM_SECONDS=n POSTGRES=1 COVERAGE=1
	@exec $(PY) -m tests.storm $(or $(SEEDS),0-199) $(if $(STORM_SECONDS),--seconds $(STORM_SECONDS)) $(if $(POSTGRES),--postgres) $(if $(COVERAGE),--coverage)

kills: $(VENV)/.test ## kill a worker at every commit and around every order; COMMITS=a-b
	@exec $(PY) -m tests.faults.kill_everywhere $(COMMITS)

mutants: $(VENV)/.test $(VENV)/.messages ## make each of 24 known mistakes in a copy: a law or a test must see it; NAME=M01
	@exec $(PY) -m tests.mutants $(NAME)

screens: $(VENV)/.test $(VENV)/.messages ## pictures of every page into screenshots/, and those of the README
	@exec $(PY) -m tests.e2e.screens --readme

fmt: $(VENV)/.test ## format
	@$(VENV)/bin/ruff check -q --fix . || true
	@$(VENV)/bin/ruff format .

# Barograph needs python3 (3.11 or newer) and make. All else comes from requirements.lock into .venv.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

# The first interpreter that runs and is new enough; `make venv PYTHON=python3.13` names another.
# A name that is found need not run (version managers leave stand-ins), so each is tried.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && \
	echo "$$python" && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

.PHONY: help venv demo kafka test examples arrival kills chaos outage fuzz sources check lint format bench lock clean

help:  ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/stamp  ## play the bundled scenario and show the alerts; no broker, no network
	@$(BIN)/barograph demo

kafka: .venv/stamp  ## a real Kafka at 127.0.0.1:9092, data in .kafka; python -m infra.dev.broker stop
	@$(BIN)/python -m infra.dev.broker start

# Tests wait more than they compute, so there are two processes for each processor. Those with a broker come after the
# others, and two at a time: what they do to workers and brokers is watched against the clock of the machine.
test: .venv/stamp  ## run all tests
	@.ci/components
	@many=$$(( 2 * $$($(BIN)/python -c 'import os; print(os.cpu_count() or 1)') )); \
	$(BIN)/python -m pytest -m "not kafka" --numprocesses $$many --dist worksteal --durations 15 && others=0 || others=1; \
	$(BIN)/python -m pytest -m kafka --numprocesses 2 --dist worksteal --durations 15 && exit $$others

examples: .venv/stamp  ## what must hold for any input, tried on ten times as many; takes 20 minutes
	@$(BIN)/python -m pytest -q -m hypothesis --hypothesis-profile many --numprocesses auto --dist worksteal

arrival: .venv/stamp  ## 2,000 nasty runs over random estates; takes minutes
	@BAROGRAPH_TRIALS=500 $(BIN)/python -m pytest -q tests/streams/test_arrival.py

kills: .venv/stamp  ## kill -9 a run twenty times; takes a minute
	@BAROGRAPH_KILLS=20 $(BIN)/python -m pytest -q tests/infra/service/test_kill.py

chaos: .venv/stamp  ## faults of all kinds over a real Kafka, a hundred kills of workers among them; takes 20 minutes
	@BAROGRAPH_CHAOS=$${BAROGRAPH_CHAOS:-100} $(BIN)/python -m pytest -q -s tests/streams/kafka/test_chaos.py

outage: .venv/stamp  ## a SIEM that is away for ten minutes
	@BAROGRAPH_AWAY=600 $(BIN)/python -m pytest -q tests/streams/kafka/test_outbox_away.py -k down

fuzz: .venv/stamp  ## documents made worse, for every source; SECONDS=300 each, SOURCE=trivy only that one
	@$(BIN)/python -m infra.dev.fuzz --seconds $(or $(SECONDS),60) $(SOURCE)

sources: .venv/stamp  ## docs/sources.md, normal-form.md and queries.md anew, from the code, the examples and samples
	@$(BIN)/python -m infra.dev.sources
	@$(BIN)/python -m infra.dev.queries
	@$(BIN)/python -m infra.dev.normal_form > docs/normal-form.md.new
	@mv docs/normal-form.md.new docs/normal-form.md

check: lint test  ## run all that must be in order before a commit

lint: .venv/stamp  ## format, style, types and import direction, without the tests
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy & mypy=$$!; $(BIN)/basedpyright && others=0 || others=1; wait $$mypy && exit $$others
	@$(BIN)/lint-imports --no-logo

format: .venv/stamp  ## bring the code into shape
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: .venv/stamp  ## measure, with the peers beside us; takes minutes
	@for file in benchmarks/[a-z]*.py; do $(BIN)/python "$$file"; done

venv: .venv/stamp  ## make .venv, or bring it up to date
	@echo ".venv is up to date" >&2

# Hashes and versions only, for every platform: where packages come from is the user's to say.
lock: .venv/stamp  ## work out requirements.lock anew from pyproject.toml; UPGRADE=1 takes newer versions
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--no-annotate $(if $(UPGRADE),--upgrade) --group dev --output-file requirements.lock pyproject.toml

clean:  ## remove .venv, caches and what runs have written
	@rm -rf .venv .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache dist out
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/stamp: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "barograph: no python3 of version 3.11 or newer runs here;" \
		"install one, or name it: make venv PYTHON=/path/to/python3" >&2; exit 2; }
	@echo "making .venv with $$($(PYTHON) --version) and the packages of requirements.lock" >&2
	@$(PYTHON) -m venv .venv
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

# make run    the app with a demo company, on any machine with Python 3.11 and make
# make test   every check and every test
# make help   the rest

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.PHONY: help run test check bench clean chromium

PORT ?= 8501
VENV ?= .venv
PYTHON ?= $(shell command -v python3.11 || command -v python3)
FARTHING_HOME ?= data
WORKERS ?= 2
ARGS ?=
unexport FARTHING_HOME
export PIP_DISABLE_PIP_VERSION_CHECK := 1

BIN := $(VENV)/bin
ENVIRONMENT := $(VENV)/.installed
DEV_ENVIRONMENT := $(VENV)/.installed-dev

# A virtualenv made by another tool may have no pip of its own.
INSTALL = if $(BIN)/python -m pip --version >/dev/null 2>&1; then installer="$(BIN)/python -m pip install --quiet"; \
	elif command -v uv >/dev/null; then installer="uv pip install --quiet --python $(BIN)/python"; \
	else $(BIN)/python -m ensurepip >/dev/null; installer="$(BIN)/python -m pip install --quiet"; fi; $$installer

help:
	@echo "make run    start the app on http://localhost:$(PORT) (PORT=…), with a demo company if there is no data yet"
	@echo "make test   all checks and tests (ARGS='-k word' for pytest)"
	@echo "make check  lint, format, types and the direction of imports"
	@echo "make bench  the benchmarks, one after another"
	@echo "make clean  remove caches and build leftovers; data and the virtualenv stay"

run: export FARTHING_HOME := $(FARTHING_HOME)
run: $(ENVIRONMENT)
	@if [ ! -e "$(FARTHING_HOME)/finops.duckdb" ]; then \
		if [ -d "$(FARTHING_HOME)/lake" ] && [ ! -d "$(FARTHING_HOME)/demo" ]; then \
			echo "Building finops.duckdb from the lake"; \
			$(BIN)/python -m finops_core rebuild; \
		else \
			echo "No data yet: making a demo company (once)"; \
			$(BIN)/python -m finops_core demo; \
		fi; \
	fi
	@echo "Farthing: http://localhost:$(PORT) (Ctrl-C stops it)"
	@exec $(BIN)/python -m finops_core serve --port "$(PORT)"

test: $(DEV_ENVIRONMENT) chromium
	@$(MAKE) --no-print-directory check
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadscope $(ARGS)

check: $(DEV_ENVIRONMENT)
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --quiet --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

bench: $(DEV_ENVIRONMENT)
	@for script in bench/*.py; do \
		case $$script in */_*) continue ;; esac; \
		[ -e "$$script" ] || { echo "No benchmarks in bench/"; break; }; \
		echo "== $$script"; \
		$(BIN)/python "$$script"; \
	done

clean:
	@find . -path "./$(VENV)" -prune -o -path ./data -prune -o -name __pycache__ -type d -print0 | xargs -0 -r rm -rf
	@rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build dist ./*.egg-info

# The browser tests need a Chromium; whoever may not install one runs the others.
chromium:
	@if command -v chromium chromium-browser google-chrome google-chrome-stable >/dev/null 2>&1; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ]; then sudo=""; \
	elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then sudo="sudo -n"; \
	else sudo=none; fi; \
	if [ "$$sudo" = none ] || ! command -v apt-get >/dev/null; then \
		echo "No Chromium found and none can be installed from here: the browser tests will be skipped"; exit 0; \
	fi; \
	echo "Installing Chromium for the browser tests (once)"; \
	{ $$sudo apt-get update -qq && $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; } >/dev/null \
		|| echo "Chromium could not be installed: the browser tests will be skipped"

$(BIN)/python:
	@[ -n "$(PYTHON)" ] || { echo "Python 3.11 or newer is needed, and no python3 was found" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) -V). Name another: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -f $(BIN)/python; exit 1; }

$(ENVIRONMENT): requirements.txt pyproject.toml | $(BIN)/python
	@echo "Installing the pinned packages into $(VENV) (a minute or two the first time)"
	@$(INSTALL) -r requirements.txt
	@$(INSTALL) --no-deps --editable .
	@touch $@

$(DEV_ENVIRONMENT): requirements-dev.txt $(ENVIRONMENT)
	@echo "Installing the tools for tests and checks into $(VENV)"
	@$(INSTALL) -r requirements-dev.txt
	@touch $@

# What a person types. Everything lives in .venv, from the versions in requirements.lock.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
ARGS ?=
# The parts of store.py run with it.
BENCH ?= $(addprefix benchmarks/,start.py store.py rules.py derived.py samples.py promql.py transcripts.py)

.DEFAULT_GOAL := help
.PHONY: help setup run test test-thorough lint check format bench docs lock clean

help: ## what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## install into .venv; again only when the lock changes

run: $(STAMP) ## open the dashboard; ARGS="--db FILE" adds options
	@$(BIN)/tui-monitor $(ARGS)

test: $(STAMP) ## run the whole suite; ARGS="tests/config -x" chooses
	$(BIN)/python -m pytest -q -n 3 --dist worksteal $(ARGS)

test-thorough: export EXAMPLES ?= 10
test-thorough: export SCHEMATHESIS_EXAMPLES ?= 20
test-thorough: $(STAMP) ## the suite with 25 times the examples, as long as that takes
	$(BIN)/python -m pytest -q -n 3 --dist worksteal --timeout 0 $(ARGS)

lint: $(STAMP) ## ruff and pyright
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

check: lint test ## both

format: $(STAMP) ## put the code in form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP) ## run the benchmarks; BENCH=benchmarks/ingest.py chooses, ARGS go to it
	@for script in $(BENCH); do echo "== $$script"; $(BIN)/python $$script $(ARGS) || exit 1; done

docs: $(STAMP) ## write config.example.toml, docs/config.md, docs/openapi.json and docs/api anew
	$(BIN)/python -m tui_monitor.config.example
	$(BIN)/python -m tui_monitor.server.pages

lock: ## resolve the versions anew (needs uv)
	uv lock --upgrade
	uv export --frozen --all-groups --no-emit-project --quiet --output-file requirements.lock

clean: ## remove what was made, .venv too
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache .hypothesis snapshot_report.html
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "tui-monitor needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>/dev/null || echo missing)." >&2; \
		echo "Name another one: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { \
		rm -rf $(VENV); echo "$(PYTHON) cannot make a virtual environment; on Debian: apt install python3-venv" >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

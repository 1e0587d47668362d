# Two commands do everything on a fresh machine: `make demo` and `make test`.
VENV  := .venv
BIN   := $(VENV)/bin
STAMP := $(VENV)/.installed
# The first Python that is new enough and can make an environment; PYTHON=/path/to/python3 overrules it.
PYTHON ?= $(shell for one in python3 python3.13 python3.12 python3.11 /usr/local/bin/python3.1[1-9] \
	/opt/homebrew/bin/python3 "$$HOME"/.pyenv/versions/3.1[1-9]*/bin/python3; do \
	command -v "$$one" >/dev/null 2>&1 \
	&& "$$one" -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 \
	&& echo "$$one" && break; done)
export PYTHONUTF8 := 1

.PHONY: help install demo test lint format types imports schema judges requirements clean

help: ## Show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /|/' | awk -F'|' '{printf "  make %-13s %s\n", $$1, $$2}'

install: $(STAMP) ## Make .venv with the syncline command in it

$(STAMP): requirements/dev.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer with venv was found. Install one (Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python), or name it: make install PYTHON=/path/to/python3"; exit 1; }
	@echo "Making $(VENV) with $(PYTHON): about a minute, this once"
	@test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: install ## See it all on a store made up on this machine; ONCE=1 stops after the summary
	@$(BIN)/syncline demo $(if $(filter-out 0,$(ONCE)),--once)

# One worker more than there are processors, as tests wait for processes they started; each takes 0.4 GB. `worksteal`
# leaves the tests of a module, which share what they set up, to one worker, and the workers end together.
WORKERS ?= $(shell $(BIN)/python -c 'import os; print(min(os.cpu_count() or 1, 7) + 1)')
# What one check says stays together, where make knows how (4.0 and newer).
GROUPED := $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)

test: install ## Everything that CI checks; WORKERS=8 runs so many tests at once
	@$(MAKE) --no-print-directory --jobs=4 $(GROUPED) lint types imports schema judges
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

lint: install ## Formatting and lint rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

format: install ## Rewrite what the formatter and the safe lint fixes can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

types: install ## The type checker, strict, over src, tests and bench
	$(BIN)/mypy

imports: install ## Who may import whom
	$(BIN)/lint-imports

# The tests reach for no network, so what the sandbox needs of it is fetched before them.
schema: install ## Fetch Shopify's published schema for the sandbox, once
	@$(BIN)/python -c 'from syncline.sandbox.shopify.schema import ensure_schema_files; ensure_schema_files()'

judges: ## Fetch Shopify's own library for Node, which judges in the tests, once
	@cd tests/judges/shopify-api && { test -d node_modules || npm ci --silent --ignore-scripts; }

requirements: ## Rewrite the hashed requirement files from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header -q -o requirements/base.txt
	uv pip compile pyproject.toml --extra dev --extra bench --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header -q -c requirements/base.txt -o requirements/dev.txt

clean: ## Remove the environment, caches and what demos left
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .syncline-demo*

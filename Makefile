PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help lab engine test coverage check format bench clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

lab: $(READY) ## deploy the dev stack on this machine, try every case, print the table
	@$(BIN)/python -m lab demo

engine: $(READY) ## provide the Pulumi CLI: from PATH, else installed or built into .engine
	@$(BIN)/python -m lab.provider.cli

test: $(READY) ## run every test that needs no AWS account
	@$(BIN)/python -m pytest

coverage: $(READY) ## run the authorizer's tests, and fail for a branch that none takes
	@$(BIN)/coverage run --branch --source=authorizer -m pytest --numprocesses=0 --quiet tests/authorizer
	@$(BIN)/coverage report --fail-under=100 --skip-covered --show-missing

check: $(READY) ## check format, lint and types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/pyright

format: $(READY) ## format, and mend what the linter can
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(READY) ## measure: program and deployment against their floors, start to first answer
	@$(BIN)/python -m bench

clean: ## remove the environment, the CLI and what the lab left
	@rm -rf .venv .engine .lab .build .coverage .hypothesis

$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else f"Python 3.11 to 3.13 wanted, got {v[0]}.{v[1]}: make PYTHON=python3.12 …")'
	@echo "Making .venv (once; a minute or two) …"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

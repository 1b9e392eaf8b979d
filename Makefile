# `make` prints this help. Everything a target needs it installs into .venv and .local.

PORT ?= 8080
# The first of these that is 3.11 or newer; PYTHON=… chooses another.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3,11,2) <= sys.version_info < (3,14))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
CODE := shared packages local tests benchmarks clients

.PHONY: help install run demo test seeded-bugs check format lint types layers openapi deploy-check lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: install ## serve everything on 127.0.0.1:8080 (PORT=… moves it) until Ctrl-C
	@exec $(BIN)/python -m local run --port $(PORT)

demo: install ## a story told step by step: a paid month, and a payment whose PSP never answered
	@exec $(BIN)/python -m local demo --port $(PORT)

test: install ## every test, on real PostgreSQL and Redis
	@$(BIN)/pytest -n logical --dist worksteal

seeded-bugs: install ## plant known bugs in a copy, and see the tests catch each
	@$(BIN)/python -m tests.seeded_bugs

check: format-check lint types layers test ## format, lint, strict types, layers, tests

format: install ## format the code
	@$(BIN)/ruff format $(CODE)

format-check: install
	@$(BIN)/ruff format --check $(CODE)

lint: install
	@$(BIN)/ruff check $(CODE)

types: install
	@$(BIN)/mypy
	@cd clients/python && ../../$(BIN)/mypy

layers: install
	@$(BIN)/lint-imports

openapi: install ## write the OpenAPI document (docs/openapi.json) as the code has it
	@$(BIN)/python -m local openapi

deploy-check: install ## the real deployer reads project.yml and builds every function (needs npm)
	@$(BIN)/python -m local.deploy_check

lock: install ## resolve the dependencies of pyproject.toml anew, with hashes
	@$(BIN)/python -m local.lock

clean: ## remove what was built and installed
	rm -rf .venv .local shared/build

install: .venv/installed

.venv/installed: local/requirements.txt
	@test -n "$(PYTHON)" || { echo "Tollgate needs Python 3.11.2 to 3.13: install one, or name it: make PYTHON=…"; exit 1; }
	@echo "Installing into .venv (about half a minute)"
	@$(PYTHON) -m venv --clear .venv || { echo "Python's venv is missing: on Debian, apt install python3-venv"; exit 1; }
	@$(BIN)/pip install --disable-pip-version-check --require-hashes -r local/requirements.txt
	@printf '%s\n' "$(CURDIR)/shared" "$(CURDIR)/clients/python" > $$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/tollgate.pth
	@touch $@

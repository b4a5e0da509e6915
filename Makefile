# make help               this text
# make demo               set up, run config.yaml on the embedded phantom, print the main table
# make check-method M=X   one method alone: contract, lint and types of src/thinslice/methods/X.py
# make test               set up, lint, and every test that takes seconds
# make test-slow          the tests that take minutes
# make test-slurm         set up Slurm (as root, on Debian), run the tests that need one, on one of their own
# make lint               the linters alone
# make bench              time and memory against named baselines
# make check-setup        does the lock install from the public index alone?
# make lock               make the lock anew
# make clean              remove results/ and Snakemake's memory of it
#
# PYTHON=...   the interpreter that .venv is made from (3.11 or newer)
# TORCH=...    which torch goes into .venv (docs/how-to/torch.md); remembered until another is given
#   default    what pip finds first: the registry's build, on Linux with CUDA
#   cpu, cu130 that build of the same version, from TORCH_INDEX=URL or wherever pip is set up to look
#   site       the torch that PYTHON has already

ifndef PYTHON
PYTHON := $(shell command -v python3)
endif
TORCH_BEFORE := $(shell cat .venv/torch.txt 2>/dev/null)
TORCH ?= $(or $(TORCH_BEFORE),default)
TORCH_INDEX ?=
BIN := .venv/bin
CORES ?= $(shell nproc 2>/dev/null || echo 2)
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help demo check-method test test-slow test-slurm lint bench clean check-setup lock another-torch

help:
	@sed -n '/^#/!q; s/^# \{0,1\}//p' Makefile

demo: .venv/.ready
	snakemake --cores $(CORES)

# One worker per core, one thread each; a file's tests stay together, for they share what they set up,
# and files begin in the order of tests/conftest.py, the longest first.
test: .venv/.ready lint
	PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(CORES) --dist loadfile --no-loadscope-reorder

CONTRACTS = tests/contracts/test_methods.py tests/contracts/test_plugins.py
METHOD = src/thinslice/methods/$(M).py
check-method: .venv/.ready
	@test -n "$(M)" || { echo "which method? make check-method M=mine, for src/thinslice/methods/mine.py"; exit 2; }
	@test -f $(METHOD) || { echo "there is no $(METHOD)"; exit 2; }
	ruff check $(METHOD)
	ruff format --check $(METHOD)
	pyright $(METHOD)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(CONTRACTS) tests/contracts/test_padding.py tests/contracts/test_windows.py -n 0 -m "not slurm" -k "$(M)"

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

# make bench B=store_crops: these alone; the page docs/reference/speed.md keeps what the others printed.
B ?=
bench: .venv/.ready
	python benchmarks/bench.py $(B)

clean:
	rm -rf results .snakemake

# Metadata alone are fetched: half a minute.
check-setup: .venv/.ready
	python -m envs.check_setup

# Versions stay as they are unless requirements.in wants others: make lock UPGRADE=--upgrade
UPGRADE ?=
lock: .venv/.ready
	test -x build/lock/bin/uv || { python -m venv build/lock && build/lock/bin/python -m pip install --quiet uv==0.13.8; }
	build/lock/bin/uv pip compile requirements.in --quiet --no-config --universal --python-version 3.11 \
		--generate-hashes --no-annotate --custom-compile-command "make lock" $(UPGRADE) -o requirements.lock
	python -m envs.conda > envs/thinslice.yaml

# Packages by hash, without a resolver; then torch, whose builds share a version but no hash, within
# the lock's pins. .venv is made afresh for another torch, so that nothing of the last one stays.
PIP_INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check
TORCH_VERSION = $(shell sed -n 's/^torch==\([^ ]*\).*/\1/p' requirements.lock)
OTHER_TORCH = $(if $(TORCH_BEFORE),$(if $(filter-out $(TORCH),$(TORCH_BEFORE)),another-torch))
another-torch:

.venv/.ready: requirements.lock pyproject.toml $(OTHER_TORCH)
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("thinslice needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(if $(OTHER_TORCH),--clear) .venv
	$(BIN)/python -m envs.lock without-torch > .venv/packages.lock
	$(BIN)/python -m envs.lock pins > .venv/pins.txt
	$(PIP_INSTALL) --no-deps --require-hashes -r .venv/packages.lock
	$(TORCH_INSTALL)
	$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	$(BIN)/python -m envs.torch_build
	echo $(TORCH) > .venv/torch.txt
	touch $@

ifeq ($(TORCH),site)
# A path file: first .venv's own packages, then those beside PYTHON's torch.
TORCH_INSTALL = $(PYTHON) -c 'import pathlib, torch; print(pathlib.Path(torch.__file__).parents[1])' \
	> "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/site_torch.pth" \
	|| { echo "TORCH=site: $(PYTHON) has no torch: name one that has, make PYTHON=..."; exit 1; }
else ifeq ($(TORCH),default)
TORCH_INSTALL = $(PIP_INSTALL) --constraint .venv/pins.txt torch
else
TORCH_INSTALL = $(PIP_INSTALL) --constraint .venv/pins.txt $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) \
	torch==$(TORCH_VERSION)+$(TORCH) || { echo "TORCH=$(TORCH): pip finds no torch $(TORCH_VERSION)+$(TORCH);" \
	"say where it is: make TORCH=$(TORCH) TORCH_INDEX=URL, with the URL of PyTorch's install page"; exit 1; }
endif

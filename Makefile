# Every target sets up what it needs. From scratch it takes Python 3.11 or newer, make and access to a package index.
#   make test                        with python3
#   make test PYTHON=python3.12      with another Python
# The -gpu targets install nothing: they run on $(PYTHON) as it is, which needs NumPy, CuPy and pytest.

PYTHON ?= python3
VENV := .venv
BENCH_VENV := .venv-bench
PIP_FLAGS := -qq --disable-pip-version-check --no-input

# A stamp per interpreter: another PYTHON, or a change of pyproject.toml, makes the environment anew.
empty :=
comma := ,
tag := $(subst $(empty) $(empty),_,$(subst /,_,$(PYTHON)))
READY := $(VENV)/.ready-$(tag)
BENCH_READY := $(BENCH_VENV)/.ready-$(tag)

# What $(PYTHON) says of itself: "py ok"; "py" without the venv module; "old 3.9"; nothing if it does not run. Any Python understands the code.
probe = import sys; v = sys.version_info; say = sys.stdout.write; v < (3, 11) and (say("old %d.%d" % v[:2]), sys.exit()); say("py"); \
	import ensurepip, venv; say(" ok")
answer = $(shell "$(PYTHON)" -c '$(probe)' 2>/dev/null)
another = name another Python: make $(MAKECMDGOALS) PYTHON=python3.12
problem = $(if $(filter old,$1),is Python $(lastword $1) and dezero needs 3.11 or newer: install one$(comma) or $(another),$(if \
	$1,has no venv module: install it (apt-get install python3-venv on Debian and Ubuntu)$(comma) or $(another),does \
	not run and dezero needs Python 3.11 or newer: install one$(comma) or $(another)))
check_python = $(if $(filter ok,$(answer)),,$(error $(PYTHON) $(call problem,$(answer))))

.PHONY: help demo info test test-slow test-torch test-gpu lint type bench bench-gpu clean
.DEFAULT_GOAL := help

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

demo: $(READY) ## train a digit classifier in some seconds; pictures and weights go to runs/demo
	@$(VENV)/bin/python -m dezero demo

info: $(READY) ## print the versions and the hardware that dezero runs on
	@$(VENV)/bin/python -m dezero info

test: $(READY) ## run the tests (some minutes)
	@$(VENV)/bin/python -m pytest -m "not slow and not gpu and not torch"

test-slow: $(READY) ## run the long tests, with the tests of scale at full size
	@DEZERO_TEST_SIZE=full $(VENV)/bin/python -m pytest -m slow

test-torch: $(BENCH_READY) ## run the tests that compare with PyTorch
	@$(BENCH_VENV)/bin/python -m pytest -m torch

test-gpu: ## run the tests on the GPU, on $(PYTHON) as it is
	@"$(PYTHON)" -m pytest -m gpu

lint: $(READY) ## check the style (ruff)
	@$(VENV)/bin/python -m ruff check

type: $(READY) ## check the types (mypy, strict)
	@$(VENV)/bin/python -m mypy

bench: $(BENCH_READY) ## measure against NumPy by hand and PyTorch (some minutes); results go to benchmarks/results
	@$(BENCH_VENV)/bin/python -m benchmarks $(ARGS)

bench-gpu: ## measure on the GPU, on $(PYTHON) as it is
	@"$(PYTHON)" -m benchmarks --gpu $(ARGS)

clean: ## remove the environments, caches and build output
	@rm -rf $(VENV) $(BENCH_VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
	@find dezero tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): pyproject.toml
	$(check_python)@echo "setting up $(VENV) (once)"
	@"$(PYTHON)" -m venv --clear $(VENV)
	@$(VENV)/bin/python -m pip install $(PIP_FLAGS) -e '.[dev]'
	@touch $@

$(BENCH_READY): pyproject.toml
	$(check_python)@echo "setting up $(BENCH_VENV) (once; PyTorch is large)"
	@"$(PYTHON)" -m venv --clear $(BENCH_VENV)
	@$(BENCH_VENV)/bin/python -m pip install $(PIP_FLAGS) -e '.[dev,bench]'
	@touch $@

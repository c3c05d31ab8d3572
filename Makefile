# Shortcuts for the commands in the README; `make help` lists them.
SHELL := /bin/bash
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help install run metrics plots test test-all test-remotes test-cluster lint lock clean

VENV ?= .venv
PYTHON ?= python3
BIN := $(abspath $(VENV))/bin
export PATH := $(BIN):$(PATH)
export DVC_NO_ANALYTICS := 1
PYTEST := python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

help:  ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/.installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	mkdir -p -m 700 .dvc/tmp/site-cache
	$(BIN)/dvc config --local core.site_cache_dir "$(CURDIR)/.dvc/tmp/site-cache"
	$(BIN)/python -m commands.compile_kernels
	@touch $@

$(BIN)/.remotes: $(BIN)/.installed requirements-remotes.lock requirements-moto.lock
	$(BIN)/python -m pip install --quiet --requirement requirements-remotes.lock
	$(PYTHON) -m venv $(VENV)-moto
	$(VENV)-moto/bin/python -m pip install --quiet --requirement requirements-moto.lock
	@touch $@

$(BIN)/.cluster: $(BIN)/.installed requirements-cluster.lock
	$(BIN)/python -m pip install --quiet --requirement requirements-cluster.lock
	@touch $@

install: $(BIN)/.installed  ## Create the environment .venv with the pinned packages

run: $(BIN)/.installed  ## Run the pipeline: only stages whose inputs changed, then a summary of the results
	@dvc repro
	@fitmap summary

metrics: $(BIN)/.installed  ## Show the metrics beside those of the last commit, one in a line
	@dvc metrics diff --all

plots: $(BIN)/.installed  ## Write dvc_plots/index.html with the charts and pictures; it works offline
	@dvc plots show

test: $(BIN)/.installed  ## Run the tests (about four minutes on two cores)
	$(PYTEST)

test-all: $(BIN)/.installed  ## Run the slow tests too
	$(PYTEST) -m 'not remotes and not cluster'

test-remotes: $(BIN)/.remotes  ## Test DVC remotes against real SSH, WebDAV and S3 servers on this machine
	$(PYTEST) -m remotes

test-cluster: $(BIN)/.cluster  ## Test stages on a Ray cluster of two nodes on this machine
	python -m pytest -m cluster

lint: $(BIN)/.installed  ## Check style and formatting
	ruff check .
	ruff format --check .

lock: $(BIN)/.installed  ## Write requirements.lock anew from pyproject.toml
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/python -m pip install --quiet torch==2.13.0 torchvision==0.28.0
	$(VENV)-lock/bin/python -m pip install --quiet '.[dev,browser]'
	$(VENV)-lock/bin/python -m pip freeze --exclude fitmap | sed 's/+cpu//' | grep -vE '^(nvidia|cuda)-|^triton=' > requirements.lock
	rm -rf $(VENV)-lock build fitmap.egg-info

clean:  ## Remove all outputs; `make run` restores them from DVC's cache
	rm -rf data/*.* plots/*.png plots/*.html plots/*.csv metrics/*.json dvc_plots

# Everything a user does, one line of help each; the README shows the plain commands behind them.
SHELL := /bin/bash
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help install run metrics plots plots-diff test test-all test-remotes test-cluster lint lock clean

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
	$(BIN)/python -m stages.tsne.compile_kernels
	@touch $@

$(BIN)/.remotes: $(BIN)/.installed requirements-remotes.lock requirements-moto.lock
	$(BIN)/python -m pip install --quiet --requirement requirements-remotes.lock
	$(PYTHON) -m venv $(VENV)-moto
	$(VENV)-moto/bin/python -m pip install --quiet --requirement requirements-moto.lock
	@touch $@

$(BIN)/.cluster: $(BIN)/.installed requirements-cluster.lock
	$(BIN)/python -m pip install --quiet --requirement requirements-cluster.lock
	@touch $@

install: $(BIN)/.installed  ## Make the environment: .venv with the pinned packages

# What does not wait for each other runs at once. Past the images each stage is named alone: DVC locks what it looks at,
# so two runs may read the same file but not both check the stage that made it; the last `dvc repro` checks all. `cat`
# turns progress bars, which would overwrite each other, into lines. After an error what runs already is finished first.
# The autoencoder's branch is the longest: what runs `aside` of it takes what processor time it leaves.
define BRANCHES
set -eo pipefail; trap wait EXIT; \
repro() { dvc --wait-for-lock repro "$$@" 2>&1 | cat; }; \
aside() { nice dvc --wait-for-lock repro "$$@" 2>&1 | cat; }; \
aside train_regressor & curve=$$!; \
repro load_images; \
repro --single-item train_autoencoder extract_latents embed_latents & map=$$!; \
wait $$curve; aside --single-item embed_baselines; \
aside --single-item evaluate_regressor & judged=$$!; \
wait $$map; repro --single-item evaluate_map; wait $$judged; \
repro --single-item render_figures & figures=$$!; \
aside --single-item render_map_page; wait $$figures
endef

# Without the last stage's page something is left to do: a first run need not ask DVC, which takes seconds.
run: $(BIN)/.installed  ## Run the pipeline, then show the metrics and where the pictures are
	@python -m stages.common.settings
	@if test -e plots/map.html && dvc status --quiet; then echo "Data and pipelines are up to date."; else $(BRANCHES); dvc repro; fi
	@$(MAKE) --no-print-directory metrics

metrics: $(BIN)/.installed  ## Show the metrics and the pictures' paths
	@dvc metrics show
	@echo; ls plots/*.png plots/*.html

plots: $(BIN)/.installed  ## Make dvc_plots/index.html, the charts of the workspace, which needs no network
	fitmap plots

plots-diff: $(BIN)/.installed  ## The same with REV beside the workspace, as in make plots-diff REV=HEAD
	fitmap plots $(or $(REV),HEAD)

test: $(BIN)/.installed  ## Run the tests
	$(PYTEST)

test-all: $(BIN)/.installed  ## Run them at full size too, and print how much was tried
	$(PYTEST) -m 'not remotes and not cluster'

test-remotes: $(BIN)/.remotes  ## Push to real servers, break what lies there, and print what was found
	python -m pytest -m remotes

test-cluster: $(BIN)/.cluster  ## Run stages on a Ray cluster of several nodes, kill some, and print what differed
	python -m pytest -m cluster

lint: $(BIN)/.installed  ## Check the code's style
	ruff check .
	ruff format --check .

lock: $(BIN)/.installed  ## Renew requirements.lock from what pyproject.toml asks for
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/python -m pip install --quiet torch==2.13.0 torchvision==0.28.0
	$(VENV)-lock/bin/python -m pip install --quiet '.[dev,browser]'
	$(VENV)-lock/bin/python -m pip freeze --exclude fitmap | sed 's/+cpu//' | grep -vE '^(nvidia|cuda)-|^triton=' > requirements.lock
	rm -rf $(VENV)-lock build fitmap.egg-info

clean:  ## Remove what the pipeline made; DVC's cache stays, so `make run` brings it back at once
	rm -rf data/*.* data/made_from plots/*.png plots/*.html plots/*.csv metrics/*.json dvc_plots

# Everything a user does, one line of help each; the README shows the plain commands behind them.
SHELL := /bin/bash
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help install run metrics plots test test-all lint lock clean

VENV ?= .venv
PYTHON ?= python3
BIN := $(abspath $(VENV))/bin
export PATH := $(BIN):$(PATH)
export DVC_NO_ANALYTICS := 1

help:  ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/.installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	@touch $@

install: $(BIN)/.installed  ## Make the environment: .venv with the pinned packages

run: $(BIN)/.installed  ## Run the pipeline, then show the metrics and where the pictures are
	@python -m stages.pipeline.params
	dvc repro
	@$(MAKE) --no-print-directory metrics

metrics: $(BIN)/.installed  ## Show the metrics and the pictures' paths
	@dvc metrics show
	@echo; ls plots/*.png plots/*.html

plots: $(BIN)/.installed  ## Make dvc_plots/index.html, the charts that `dvc plots diff` compares
	dvc plots show

test: $(BIN)/.installed  ## Run the tests
	python -m pytest

test-all: $(BIN)/.installed  ## Run them at full size too, and print how much was tried
	python -m pytest -m 'not remotes'

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

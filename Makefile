# The Drummer's Book. All you need is Python (3.10 to 3.13) and make; `make` alone says what there is.

SHELL = /bin/sh
.DEFAULT_GOAL = help
PY = .venv/bin/python
CHAPTERS = $(sort $(wildcard book/*.ipynb))

# Everything runs alike on every machine: settings and kernels from your home folder stay out of it.
export KERAS_HOME = $(CURDIR)/.venv/config/keras
export MPLCONFIGDIR = $(CURDIR)/.venv/config/matplotlib
export IPYTHONDIR = $(CURDIR)/.venv/config/ipython
export JUPYTER_PREFER_ENV_PATH = 1
export PYDEVD_DISABLE_FILE_VALIDATION = 1
unexport PYTHONPATH PYTHONHOME
# `make PYTHON=python3.12 book` chooses the Python of .venv.
export PYTHON

.PHONY: help book test test-chapters test-network test-package browser-test lab lint check-book house clean lock env run-notebooks clean-notebooks results test-colab lock-colab publish-setup new-chapter quick types coverage test-newest

help: ## what can be typed here
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-16s %s\n", $$1, $$2 }' Makefile

env: ## only build .venv, with the versions of requirements.lock
	@.ci/environment

# --keep-going with -W: all that is wrong is said at once. After a failure the pages are read anew: Sphinx would not
# repeat the warnings of a page that has not changed, and the second call would seem to succeed.
book: env ## run the chapters and build the book
	@$(PY) book/_tools/forget.py
	@$(PY) book/_tools/run_chapters.py || { echo "The book was not built; the reason stands above." >&2; exit 1; }
	@.venv/bin/jupyter-book build book --path-output book --config _config.yml --toc "$(CURDIR)/_toc.yml" -W --keep-going \
	    || { rm -rf book/_build/.doctrees; echo "The book was not built; the reason stands above." >&2; exit 1; }
	@$(PY) -c "import pathlib; print('The book is built. Open', pathlib.Path('book/_build/html/index.html').resolve().as_uri())"

# Three parts, each on two cores: a chapter is never torn apart, of the others whoever is free takes the next test.
SIDE_BY_SIDE = -n 2 --dist worksteal
test: test-chapters test-network test-package ## the tests of the package, and every cell of every chapter

# Lax: every cell of every chapter must run. What a cell prints is compared only where its author says that it must
# hold, by the tag nbval-check-output: a player's HTML is new each time, and a warning is no error.
test-chapters: env ## only the chapters' cells
	$(PY) -m pytest $(CHAPTERS) --nbval-lax --nbval-current-env --nbval-cell-timeout=300 -q -n 2 --dist loadfile

test-network: env ## only the tests of the networks
	$(PY) -m pytest tests/network -q $(SIDE_BY_SIDE)

test-package: env ## only the other tests of the package
	$(PY) -m pytest tests --ignore=tests/browser --ignore=tests/network -q $(SIDE_BY_SIDE)

# What is slow is marked so (pytest.mark.slow): `make test` has it, this has not.
quick: lint types ## in two minutes: style, types, and the fast tests
	$(PY) -m pytest tests --ignore=tests/browser -m "not slow" -q $(SIDE_BY_SIDE)

test-newest: ## the package's tests from a wheel, with the newest version of every package
	@.ci/newest

# Which lines and branches of drumlib the tests of the package reach. The figures go to bench/results/coverage.json.
coverage: env ## how much of the package its tests reach
	$(PY) bench/tests_reach.py

browser-test: env ## open the built book in Chromium, and press play
	$(PY) -m pytest tests/browser -q $(SIDE_BY_SIDE)

# Another environment, .venv-colab, is built for it. `make test-colab CHAPTERS="book/latent.ipynb"` runs only that one.
test-colab: ## every chapter as on Google Colab: its versions, and the chapters' first cell
	@.ci/colab $(basename $(notdir $(CHAPTERS)))

lab: env ## open the chapters in JupyterLab
	$(PY) -m jupyterlab book

check-book: env ## the chapters' structure, links, words and numbers, without running them
	$(PY) book/_tools/check_book.py

lint: env check-book ## style and likely mistakes; check-book
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	.venv/bin/oxlint --deny-warnings drumlib book

house: env ## which way imports run, and how large everything is: writes bench/results/house.txt
	$(PY) bench/house.py

# The folders that are clean; --pythonpath: of the packages in .venv it knows the types.
TYPED = drumlib/music drumlib/inference drumlib/data drumlib/commands drumlib/drummer.py drumlib/humanize.py
types: env ## types, by pyright
	$(PY) -m basedpyright --pythonpath $(abspath $(PY)) $(TYPED)

# A chapter that fails stays as it was; those that ran before it are cleaned all the same.
run-notebooks: env ## run every chapter and keep what it prints
	@status=0; \
	$(PY) -m nbconvert --to notebook --execute --inplace --ExecutePreprocessor.timeout=300 $(CHAPTERS) || status=$$?; \
	$(PY) book/_tools/clean.py $(CHAPTERS); exit $$status

clean-notebooks: env ## take pictures, sounds and counts out of the chapters; text stays
	$(PY) book/_tools/clean.py $(CHAPTERS)

# What was typed reaches the two tools below as it is: neither make nor the shell reads its quotes and dollars.
REPO_IS := $(origin REPO)
unexport REPO NAME TITLE AFTER
publish-setup: export TYPED_REPO := $(value REPO)
publish-setup: env ## say where this is published: make publish-setup REPO=owner/name; REPO= for nowhere
	@test "$(REPO_IS)" != undefined || { echo "say where: make publish-setup REPO=owner/name (REPO= for nowhere)" >&2; exit 2; }
	@$(PY) book/_tools/publish.py -- "$$TYPED_REPO"

new-chapter: export TYPED_NAME := $(value NAME)
new-chapter: export TYPED_TITLE := $(value TITLE)
new-chapter: export TYPED_AFTER := $(value AFTER)
new-chapter: env ## begin a chapter: make new-chapter NAME=swing TITLE="Swing" [AFTER=music]
	@test -n "$$TYPED_NAME" && test -n "$$TYPED_TITLE" || { echo 'say which: make new-chapter NAME=swing TITLE="Swing"' >&2; exit 2; }
	@$(PY) book/_tools/new_chapter.py "--after=$$TYPED_AFTER" -- "$$TYPED_NAME" "$$TYPED_TITLE"

# RUNS is where bench/presets.py trained; without it, of the presets only the shipped ones are scored anew on whole songs.
results: env ## score the shipped weights anew: make results SONGS=folder GROOVE=folder-or-archive [RUNS=folder]
	@test -n "$(SONGS)" && test -n "$(GROOVE)" || { echo "say where the data are: make results SONGS=... GROOVE=..." >&2; exit 2; }
	$(PY) bench/ship_weights.py --songs "$(SONGS)" --shipped thesis
	$(PY) bench/ship_band_conv.py --songs "$(SONGS)" --shipped
	$(PY) bench/humanize.py --groove "$(GROOVE)" --shipped
	$(PY) bench/groove_vae.py --groove "$(GROOVE)" --shipped
	$(PY) bench/evaluation.py --songs "$(SONGS)" $(if $(RUNS),--runs "$(RUNS)" --again,--shipped)
	$(PY) bench/claims.py --songs "$(SONGS)" --groove "$(GROOVE)"

# Versions stay as they are where they can; `make lock UPGRADE=--upgrade` takes the newest of all.
lock: env ## write requirements.lock anew, from pyproject.toml
	@test -x .venv/tools/bin/uv || { $(PY) -m venv .venv/tools && .venv/tools/bin/python -m pip install -q uv; }
	.venv/tools/bin/uv pip compile --universal --no-strip-extras --fork-strategy fewest --python-version 3.10 --extra book --extra test \
	    --generate-hashes -q $(UPGRADE) -o requirements.lock pyproject.toml

# When Colab changes: write its versions into .ci/colab.txt, then this.
lock-colab: env ## write .ci/colab.lock anew, from .ci/colab.txt
	@test -x .venv/tools/bin/uv || { $(PY) -m venv .venv/tools && .venv/tools/bin/python -m pip install -q uv; }
	.venv/tools/bin/uv pip compile --universal --fork-strategy fewest --python-version 3.11 --no-annotate \
	    --generate-hashes -q $(UPGRADE) -o .ci/colab.lock .ci/colab.txt

clean: ## remove what was built; .venv stays (rm -r .venv removes that)
	rm -rf book/_build build dist drumlib.egg-info .coverage .pytest_cache .ruff_cache .hypothesis
	find . -path "./.venv*" -prune -o -name __pycache__ -type d -print | xargs rm -rf

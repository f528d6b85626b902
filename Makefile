# A small Bazel in GNU Make. BUILD.md says why, and declares every target in its ```make blocks:
#
#   $(call py_library, //haiku_spectral/ops:fft_conv, imports, data)
#   $(call py_binary,  //binaries:train,              imports, data, environment)
#   $(call py_test,    //tests/ops:fft_conv_test,     imports, data, tags)
#
# The label //a/b:c stands for the file a/b/c.py. The name of a variable may not hold a colon, so in
# this file a target goes by its id, a/b/c; labels appear only at the edges.

ifneq ($(filter 3.% 4.0% 4.1% 4.2%,$(MAKE_VERSION)),)
  $(error GNU Make $(MAKE_VERSION) is too old: 4.3 or newer is needed)
endif
ifeq ($(MAKELEVEL),0)
.NOTPARALLEL:  # What the command line asks for runs in its order; tests run side by side within.
endif

MAKEFLAGS     += --no-builtin-rules --no-builtin-variables --no-print-directory
.DEFAULT_GOAL := help
OUT           := .build
PY            := .venv/bin/python
PYTHONS        = $(or $(PYTHON),python3.13 python3.12 python3.11 python3)
UV            := uv==0.13.9
JOBS          ?= $(shell getconf _NPROCESSORS_ONLN)
TIMEOUT       ?= 600
TESTS          = $(TARGETS.py_test)
SKIP          := slow
ARGS          :=

export PYTHONPATH             := $(CURDIR)
export MALLOC_TOP_PAD_        ?= 268435456
export MALLOC_MMAP_THRESHOLD_ ?= 4294967296
export MALLOC_TRIM_THRESHOLD_ ?= 8589934592
export MALLOC_ARENA_MAX       ?= 1
export OPENBLAS_NUM_THREADS   ?= 1

# Imports go one way: a layer may use itself and the layers before it.
LAYERS := haiku_spectral $(addprefix haiku_spectral/,\
  configs ops modules parallel training decoding evaluation sandbox improvement)
$(foreach l,$(LAYERS),$(eval BELOW += $l)$(eval MAY_USE.$l := $$(BELOW)))
MAY_USE.haiku_spectral/sandbox := haiku_spectral/sandbox
MAY_USE.datasets := haiku_spectral datasets
MAY_USE.binaries := $(LAYERS) datasets binaries
MAY_USE.tests    := $(LAYERS) datasets binaries tests

id      = $(subst :,/,$(patsubst //%,%,$1))
label   = $(foreach t,$1,//$(patsubst %/,%,$(dir $t)):$(notdir $t))
goal    = $(subst :,\:,$(call label,$1))
module  = $(subst /,.,$1)
folders = $(if $(filter ./,$(dir $1)),,$(dir $1) $(call folders,$(patsubst %/,%,$(dir $1))))
layer   = $(patsubst %/,%,$(firstword $(filter $(LAYERS:=/),$(folders)) $(lastword $(folders))))
define newline


endef
must    = $(if $2,,$(error $(label) $(strip $3)))

# check and declare(id, imported ids, data files, ids used when it runs, tags of a test or environment
# of a program, kind)
check = $(call must,$1,$(wildcard $1.py),has no file $1.py)\
  $(call must,$1,$(filter-out $(TARGETS),$1),is declared twice)\
  $(foreach f,$3,$(call must,$1,$(wildcard $f),has no data file $f))\
  $(if $(filter py_binary,$6),$(foreach e,$5,$(call must,$1,$(wildcard requirements-$e.txt),\
    has no file requirements-$e.txt)))\
  $(foreach t,$2 $4,$(call must,$1,$(filter $(TARGETS),$t),\
    needs $(call label,$t) declared above it))\
  $(foreach t,$2,$(call must,$1,$(filter $(MAY_USE.$(layer)),$(call layer,$t)),\
    may not import $(call label,$t): $(layer) imports only from $(MAY_USE.$(layer))))
define declare
$(check)
TARGETS    += $1
TARGETS.$6 += $1
IMPORTS.$1 := $2
USES.$1    := $4
TAGS.$1    := $5
ENV.$1     := $(if $(filter py_binary,$6),$5)
FILES.$1   := $1.py $(wildcard $(addsuffix __init__.py,$(folders))) $3
CLOSURE.$1 := $(sort $1 $(foreach t,$2 $4,$(CLOSURE.$t)))
.PHONY: $(goal)
$(goal): $$(or $$(ENV.$1:%=.venv-%/ok),$(VENV.$6))
	@$$(call run.$6,$1)
endef
target     = $(eval $(call declare,$(call id,$1),$(call id,$2),$(filter-out //%,$3),\
  $(call id,$(filter //%,$3)),$4,$5))
py_library = $(call target,$(strip $1),$2,$3,,py_library)
py_binary  = $(call target,$(strip $1),$2,$3,$4,py_binary)
py_test    = $(call target,$(strip $1),$2,$3,$4,py_test)

# Tests want more packages than programs. A PY of your own brings its packages itself.
VENV.py_library := $(if $(filter .venv/%,$(PY)),.venv/run.ok)
VENV.py_binary  := $(VENV.py_library)
VENV.py_test    := $(VENV.py_library:run.ok=test.ok)
SETTING         := requirements.txt requirements-dev.txt $(if $(VENV.py_test),.venv/pyvenv.cfg)

# The prose becomes blank lines, so that an error names the line in BUILD.md. Made anew each time,
# because a rule would not run again once a faulty BUILD.md has stopped make.
$(shell mkdir -p $(OUT) && sed '/^```make/,/^```$$/!s/.*//; s/^```.*//' BUILD.md > $(OUT)/BUILD.md)
include $(OUT)/BUILD.md

# What XLA compiled for one test serves the others, and the next run. Tests run little and compile
# much, so LLVM does not optimise: half the time.
COMPILED := JAX_COMPILATION_CACHE_DIR='$(CURDIR)/$(OUT)/jax' \
  JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS=0.3 JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES=-1 \
  XLA_FLAGS=--xla_backend_optimization_level=0

# The key of a test is all that it reads: hash and name of each file in its closure, from a single
# sha256sum. A test that passed leaves its key in a file, and is cached while its key is the same.
HASHES = $(eval HASHES := $(shell sha256sum $(sort $(SETTING) $(foreach t,$(TARGETS),$(FILES.$t))) \
  | tr -s ' ' =))$(HASHES)
key    = $(PY) $(filter $(addprefix %=,$(SETTING) $(foreach t,$(CLOSURE.$1),$(FILES.$t))),$(HASHES))
cached = $(findstring |$(key)|,|$(strip $(file <$(OUT)/$1.ok))|)

run.py_library = $(PY) -c 'import $(module)' && echo 'IMPORTED $(label)'
python         = $(or $(ENV.$1:%=.venv-%/bin/python),$(PY))
run.py_binary  = $(python) -m $(module) $(subst $(newline), ,$(value ARGS))
run.py_test    = $(if $(value ARGS),$(run.py_binary),$(if $(cached),$(report_cached),$(run_test)))
report_cached  = echo '(cached) PASSED $(label)'
define run_test
log=$(OUT)/$1.log; export TEST_TMPDIR='$(CURDIR)/$(OUT)/$1.tmp' $(COMPILED); \
rm -rf $(OUT)/$1.*; mkdir -p $(OUT)/$1.tmp; \
timeout --foreground -k 10 $(TIMEOUT) $(PY) -m $(module) > $$log 2>&1; code=$$?; \
ran=$$(sed -n 's/^Ran \([1-9].*\)/\1/p' $$log | tail -n 1); \
if [ $$code = 0 ] && [ "$$ran" ]; then \
  echo '$(key)' > $(OUT)/$1.ok; rm -rf $(OUT)/$1.tmp; echo "PASSED $(label)  $$ran"; \
else tail -n 40 $$log; echo "FAILED $(label)  exit code $$code, log in $$log"; exit 1; fi
endef

.PHONY: help test test-slow lint demo query graph clean
help: ## Show this help
	@sed -nE 's/^([a-z-]+):.*## /make \1\t/p' Makefile | expand -t 20
	@echo "make //a/b:name     Run a test, run a binary (ARGS='--flag=1'), import a library"
	@echo "make //a/b/...      Run the tests that use anything in a folder"

test: $(VENV.py_test) ## Run the tests that are out of date (SKIP= runs the slow ones too)
	$(eval skipped := $(foreach t,$(call id,$(TESTS)),$(if $(filter $(SKIP),$(TAGS.$t)),$t)))
	$(eval chosen := $(filter-out $(skipped),$(call id,$(TESTS))))
	$(eval stale := $(foreach t,$(chosen),$(if $(call cached,$t),,$t)))
	$(foreach t,$(skipped),$(info SKIPPED $(call label,$t)  $(TAGS.$t)))
	$(foreach t,$(filter-out $(stale),$(chosen)),$(info (cached) PASSED $(call label,$t)))
	@$(if $(stale),rm -f $(stale:%=$(OUT)/%.ok); \
	$(MAKE) $(if $(filter -j%,$(MAKEFLAGS)),,-j$(JOBS)) -k --output-sync ARGS= $(call label,$(stale));) \
	failed=0; for t in $(stale); do [ -e $(OUT)/$$t.ok ] || failed=$$((failed + 1)); done; \
	echo "$$(($(words $(chosen)) - failed)) passed, $$failed failed"; [ $$failed = 0 ]

test-slow: ## Run the slow tests that are out of date
	@$(MAKE) test SKIP= TIMEOUT=1800 TESTS='$(foreach t,$(TARGETS.py_test),$(if $(filter slow,$(TAGS.$t)),$t))'

lint: //tests\:lint_test ## Check style and types (a part of make test)

demo: //binaries\:demo ## Train a small model, show that it extrapolates, let it write

query: ## List targets (deps=//a:b: what it needs; rdeps=//a:b: what needs it)
	$(foreach t,$(sort $(call label,$(asked))),$(info $t))@:

graph: ## Print each target with its imports | and what else it uses
	$(foreach t,$(TARGETS),$(info $(call label,$t $(IMPORTS.$t)) \
	  $(if $(USES.$t),| $(call label,$(USES.$t)))))@:

clean: ## Forget all results
	@rm -rf $(OUT)

users  = $(foreach t,$(TARGETS),$(if $(filter $1,$(CLOSURE.$t)),$t))
known  = $(or $1,$(error BUILD.md declares no target $2: make query lists them))
asked  = $(if $(deps),$(call known,$(CLOSURE.$(call id,$(deps))),$(deps)),$(if \
  $(rdeps),$(call known,$(call users,$(call id,$(rdeps))),$(rdeps)),$(TARGETS)))
//...: test
//%/...:
	@$(MAKE) test TESTS='$(call known,$(filter $(TARGETS.py_test),$(call users,$*/%)),$@)'
//%:
	@$(call known,,$@)

# The marks *.ok come last, so an interrupted installation is begun anew. The pins are complete, so
# nothing but what they name is installed. uv is several times faster than pip, its stand-in.
install = echo 'Installing $< into .venv ...'; \
  { $(PY) -m pip install -q --only-binary=:all: $(UV) 2> /dev/null && .venv/bin/uv pip install -q \
    --python $(PY) --compile-bytecode --no-deps --reinstall -r $<; } || \
  $(PY) -m pip install -q --no-deps --force-reinstall -r $<
.venv/run.ok: requirements.txt
	@for python in $(PYTHONS); do "$$python" -c 'import ensurepip, sys, venv; \
	sys.exit(sys.version_info < (3, 11))' 2> /dev/null && break; python=; done; \
	[ "$$python" ] || { echo 'error: no Python >= 3.11 with venv and pip among: $(PYTHONS).' \
	  'Give one as PYTHON=/path/to/python3' >&2; exit 1; }; \
	"$$python" -m venv --clear .venv && { $(install); } && touch $@
.venv/test.ok: requirements-dev.txt .venv/run.ok
	@{ $(install); } && touch $@

# An environment beside it, for programs whose packages the others shall not have: made when such a
# program is first run. Its pins are complete but for what a platform's own wheels ask for.
.venv-%/ok: requirements-%.txt | $(VENV.py_library)
	@echo 'Installing $< into $(@D) ...'; $(PY) -m venv --clear $(@D) && \
	$(@D)/bin/python -m pip install -q --only-binary=:all: -r $< && touch $@

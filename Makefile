# A small Bazel in GNU Make. Which modules there are and what they import is in imports.mk, which
# `make tidy` writes; what no import shows is declared in the ```make blocks of BUILD.md:
#
#   $(call layer, folder, what it may use)           $(call data, labels, files and labels)
#   $(call environment, labels, name)                $(call tags, labels, tags)
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
PLATFORM      ?= cpu
INSTALLED      = .venv$(PLATFORM_NAME:%=-%)
PY             = $(INSTALLED)/bin/python
PYTHONS        = $(or $(PYTHON),python3.13 python3.12 python3.11 python3)
find_python    = for python in $(PYTHONS); do "$$python" -c 'import ensurepip, sys, venv; \
  sys.exit(sys.version_info < (3, 11))' 2> /dev/null && break; python=; done; \
  [ "$$python" ] || { echo 'error: no Python >= 3.11 with venv and pip among: $(PYTHONS).' \
    'Give one as PYTHON=/path/to/python3' >&2; exit 1; }
UV            := uv==0.13.9
JOBS          ?= $(shell getconf _NPROCESSORS_ONLN)
TIMEOUT       ?= 600
TESTS          = $(TARGETS.py_test)
SKIP          := slow device
ARGS          :=
COMMAND       :=

# NumPy's threads would compete with XLA's for the cores. What XLA compiled is kept: the next start
# of a program takes seconds.
PYTHONPATH                := $(CURDIR)
OPENBLAS_NUM_THREADS      ?= 1
JAX_COMPILATION_CACHE_DIR ?= $(CURDIR)/$(OUT)/jax
EXPORTED                  := PYTHONPATH OPENBLAS_NUM_THREADS JAX_COMPILATION_CACHE_DIR
export $(EXPORTED)

# Where JAX computes: each platform but `cpu` has packages of its own, and an installation.
PLATFORMS     := cpu cuda
PLATFORM_NAME := $(filter-out cpu,$(PLATFORM))
ifneq ($(words $(PLATFORM)) $(filter $(PLATFORM),$(PLATFORMS)),1 $(PLATFORM))
  $(error PLATFORM=$(PLATFORM) is not allowed: give one of $(PLATFORMS))
endif

id      = $(subst :,/,$(patsubst //%,%,$1))
label   = $(foreach t,$1,//$(patsubst %/,%,$(dir $t)):$(notdir $t))
goal    = $(subst :,\:,$(call label,$1))
module  = $(subst /,.,$1)
folders = $(if $(filter ./,$(dir $1)),,$(dir $1) $(call folders,$(patsubst %/,%,$(dir $1))))
layer_of = $(patsubst %/,%,$(firstword $(filter $(LAYERS:=/),$(folders)) $(lastword $(folders))))
define newline


endef
must    = $(if $2,,$(error $(label) $(strip $3)))

# Imports go one way: a layer may use itself and the layers before it, or what it lists.
layer = $(eval LAYERS += $1)$(eval MAY_USE.$(strip $1) := $(or $(call id,$2),$(LAYERS)))

# declare(id, imported ids, ids of modules that it names in a string, kind)
check = $(call must,$1,$(wildcard $1.py),has no file $1.py: run make tidy)\
  $(foreach t,$2,$(call must,$1,$(filter $(MAY_USE.$(layer_of)),$t $(call layer_of,$t)),\
    may not import $(call label,$t): $(layer_of) imports only from $(MAY_USE.$(layer_of))))
define declare
$(check)
TARGETS    += $1
TARGETS.$4 += $1
IMPORTS.$1 := $2
USES.$1    := $3
FILES.$1   := $1.py $(filter-out $1.py,$(wildcard $(addsuffix __init__.py,$(folders))))
.PHONY: $(goal)
$(goal): $(VENV.$4)
	@$$(call $(if $(COMMAND),print_command,run.$4),$1)
endef
target     = $(eval $(call declare,$(call id,$1),$(call id,$2),$(call id,$3),$4))
py_library = $(call target,$(strip $1),$2,$3,py_library)
py_binary  = $(call target,$(strip $1),$2,$3,py_binary)
py_test    = $(call target,$(strip $1),$2,$3,py_test)

# close(id, ids on the way there): all that a target needs, itself included.
close = $(call must,$1,$(FILES.$1),is imported and not declared: run make tidy)\
  $(call must,$1,$(filter-out $2,$1),imports itself: $(call label,$2 $1))\
  $(if $(CLOSURE.$1),,$(eval CLOSURE.$1 := $(sort \
    $1 $(foreach t,$(IMPORTS.$1) $(USES.$1),$(call close,$t,$2 $1)))))$(CLOSURE.$1)

# What no import shows: files that targets read and modules that they run or load by a name put
# together on the way, words by which tests are chosen, the environment of a program.
declared = $(foreach t,$(call id,$1),$(call must,$t,$(filter $(TARGETS),$t),is not declared: \
  if its file is new run make tidy)$t)
add_data = $(foreach f,$2,$(call must,$1,$(wildcard $f),has no data file $f))\
  $(eval FILES.$1 += $2)$(eval USES.$1 += $3)
add_environment = $(call must,$1,$(wildcard requirements-$2.txt),has no file requirements-$2.txt)\
  $(eval ENV.$1 := $2)$(eval $(goal): .venv-$2/ok)
data        = $(foreach t,$(declared),$(call \
  add_data,$t,$(filter-out //%,$2),$(call declared,$(filter //%,$2))))
tags        = $(foreach t,$(declared),$(eval TAGS.$t += $2))
environment = $(foreach t,$(declared),$(call add_environment,$t,$(strip $2)))

# Tests want more packages than programs. A PY of your own brings its packages itself.
VENV.py_library := $(if $(filter $(INSTALLED)/%,$(PY)),$(INSTALLED)/run.ok)
VENV.py_binary  := $(VENV.py_library)
VENV.py_test    := $(VENV.py_library:run.ok=test.ok)
RUN_PINS        := requirements.txt $(PLATFORM_NAME:%=requirements-%.txt)
SETTING         := $(RUN_PINS) requirements-dev.txt $(if $(VENV.py_test),$(INSTALLED)/pyvenv.cfg)

# Tidying comes before all else, so that it works where imports.mk would stop make, and so that
# other goals of the same command see what it wrote.
ifneq ($(filter tidy,$(MAKECMDGOALS)),)
  $(info $(shell $(if $(wildcard $(PY)),python=$(PY),$(find_python)); \
    "$$python" binaries/tidy.py 2>&1))
  $(if $(filter 0,$(.SHELLSTATUS)),,$(error imports.mk is as it was))
endif

# The prose becomes blank lines, so that an error names the line in BUILD.md. Made anew each time,
# because a rule would not run again once a faulty BUILD.md has stopped make.
$(shell mkdir -p $(OUT) && sed '/^```make/,/^```$$/!s/.*//; s/^```.*//' BUILD.md > $(OUT)/BUILD.md)
include $(OUT)/BUILD.md
$(foreach t,$(TARGETS),$(if $(call close,$t),))

# What XLA compiled for one test serves the others, and the next run. Tests run little and compile
# much, so on a CPU LLVM does not optimise, which halves the time, and gets a program in one part. Of
# what is left XLA's older emitters, which the jax for Python 3.11 still has, take half.
COMPILED = JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS=0.1 JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES=-1 \
  $(if $(PLATFORM_NAME),,XLA_FLAGS='--xla_backend_optimization_level=0 \
  --xla_cpu_parallel_codegen_split_count=1 $(EMITTERS)')
EMITTERS = $(eval EMITTERS := $(shell $(PY) -c 'import sys; \
  print("--xla_cpu_use_fusion_emitters=false" * (sys.version_info < (3, 12)))'))$(EMITTERS)

# The key of a test is all that it reads: hash and name of each file in its closure, from a single
# sha256sum. A test that passed leaves its key in a file, and is cached while its key is the same.
HASHES = $(eval HASHES := $(shell sha256sum $(sort $(SETTING) $(foreach t,$(TARGETS),$(FILES.$t))) \
  | tr -s ' ' =))$(HASHES)
key    = $(PY) $(filter $(addprefix %=,$(SETTING) $(foreach t,$(CLOSURE.$1),$(FILES.$t))),$(HASHES))
cached = $(findstring |$(key)|,|$(strip $(file <$(OUT)/$1.ok))|)

# With COMMAND the command is printed, for ./run to become it.
python         = $(or $(ENV.$1:%=.venv-%/bin/python),$(PY))
command        = $(python) -m $(module)
print_command  = $(call must,$1,$(filter-out $(TARGETS.py_library),$1),is a library: nothing to run)\
  echo "env $(foreach v,$(EXPORTED),$v='$($v)') $(command)"
run.py_library = $(PY) -c 'import $(module)' && echo 'IMPORTED $(label)'
run.py_binary  = $(command) $(subst $(newline), ,$(value ARGS))
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

.PHONY: help tidy test test-slow docs test-device docs-test lint demo duel query graph clean
help: ## Show this help
	@sed -nE 's/^([a-z-]+):.*## /make \1\t/p' Makefile | expand -t 20
	@echo "make //a/b:name     Run a test, run a binary (ARGS='--flag=1'), import a library"
	@echo "make //a/b/...      Run the tests that depend on anything in a folder"

tidy: ## Write imports.mk anew: after a file or an import has come or gone
	@:

test: $(VENV.py_test) ## Run the tests that are out of date (SKIP= runs the tagged ones too)
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
	@$(MAKE) test SKIP= TIMEOUT=1800 \
	  TESTS='$(foreach t,$(TARGETS.py_test),$(if $(filter slow,$(TAGS.$t)),$t))'

# One after the other, because a process takes most of a GPU's memory, and whatever was kept: no key
# knows the device.
test-device: $(VENV.py_test) ## Run the tests of what JAX computes on (PLATFORM=cuda for a GPU)
	$(eval chosen := $(foreach t,$(TARGETS.py_test),$(if $(filter device,$(TAGS.$t)),$t)))
	@rm -f $(chosen:%=$(OUT)/%.ok); $(MAKE) test SKIP= JOBS=1 TESTS='$(chosen)'

docs-test: ## Run the commands of the docs as they are typed there
	@$(MAKE) test SKIP= TIMEOUT=3600 TESTS=//tests:docs_test

docs: //binaries\:docs_site ## Build the docs as a site, in .build/site

lint: //tests\:lint_test ## Check style and types (a part of make test)

demo: //binaries\:demo ## Train a small model, show that it extrapolates, generate text

duel: //binaries\:duel ## Train on Tiny Shakespeare for 3 and 15 minutes, beside nanoGPT

query: ## List targets (deps=//a:b: what it needs; rdeps=//a:b: what needs it)
	$(foreach t,$(sort $(call label,$(asked))),$(info $t))@:

graph: ## Print each target with its imports | and what else it uses
	$(foreach t,$(TARGETS),$(info $(call label,$t $(IMPORTS.$t)) \
	  $(if $(USES.$t),| $(call label,$(USES.$t)))))@:

clean: ## Forget all results
	@rm -rf $(OUT)

users  = $(foreach t,$(TARGETS),$(if $(filter $1,$(CLOSURE.$t)),$t))
known  = $(or $1,$(error there is no target $2: make query lists all, make tidy finds new files))
asked  = $(if $(deps),$(call known,$(CLOSURE.$(call id,$(deps))),$(deps)),$(if \
  $(rdeps),$(call known,$(call users,$(call id,$(rdeps))),$(rdeps)),$(TARGETS)))
//...: test
//%/...:
	@$(MAKE) test TESTS='$(call known,$(filter $(TARGETS.py_test),$(call users,$*/%)),$@)'
//%:
	@$(call known,,$@)

# The marks *.ok come last, so an interrupted installation is begun anew. The pins are complete, so
# nothing but what they name is installed. uv is several times faster than pip, its stand-in.
pins    = $(filter requirements%,$^)
install = echo 'Installing $(pins) into $(@D) ...' >&2; \
  { $(PY) -m pip install -q --only-binary=:all: $(UV) 2> /dev/null && $(@D)/bin/uv pip install -q \
    --python $(PY) --compile-bytecode --no-deps --reinstall $(pins:%=-r %); } || \
  $(PY) -m pip install -q --no-deps --force-reinstall $(pins:%=-r %)
$(INSTALLED)/run.ok: $(RUN_PINS)
	@$(find_python); \
	"$$python" -m venv --clear $(@D) && { $(install); } && touch $@
$(INSTALLED)/test.ok: requirements-dev.txt $(INSTALLED)/run.ok
	@{ $(install); } && touch $@

# An environment beside it, for programs whose packages the others shall not have: made when such a
# program is first run. Its pins are complete but for what a platform's own wheels ask for.
.venv-%/ok: requirements-%.txt | $(VENV.py_library)
	@echo 'Installing $< into $(@D) ...' >&2; $(PY) -m venv --clear $(@D) && \
	$(@D)/bin/python -m pip install -q --only-binary=:all: -r $< && touch $@

# TensorGuard. `make`, `make test`, `make demo`, `make install`; V=asan|tsan|cov|fuzz builds a
# variant beside the release one. Targets that need more than is installed call scripts/setup.
PREFIX  ?= /usr/local
V       ?= release
B       := build/$(V)
VERSION := $(shell cat VERSION)
DEPS    := $(CURDIR)/.deps
OPENSSL := $(DEPS)/openssl
PKG_CONFIG := PKG_CONFIG_PATH='$(OPENSSL)/lib/pkgconfig:$(PKG_CONFIG_PATH)' pkg-config
# ARCH=arm64 cross-builds beside all that, with what `scripts/setup arm64` has fetched; dev/test-arm64.
ifeq ($(ARCH),arm64)
CROSS   := aarch64-linux-gnu-
CC      := $(CROSS)gcc
AR      := $(CROSS)ar
B       := build/arm64-$(V)
OPENSSL := $(DEPS)/arm64
PKG_CONFIG := PKG_CONFIG_PATH= PKG_CONFIG_LIBDIR='$(OPENSSL)/lib/pkgconfig' pkg-config
endif

# OpenSSL >= 3.5: the system's (Debian 13), or the one that scripts/setup made (Debian 12). The
# latter is linked from its archives, so that nothing installed depends on this folder.
PKGS        := libcrypto jansson zlib
PKG_CFLAGS  := $(shell $(PKG_CONFIG) --cflags $(PKGS) 2>/dev/null)
OWN_CRYPTO := $(wildcard $(OPENSSL)/lib/libcrypto.a)
ifneq ($(OWN_CRYPTO),)
CRYPTO_LIBS := $(OWN_CRYPTO) $(shell $(PKG_CONFIG) --libs jansson zlib libzstd 2>/dev/null)
STATIC_LIBS := -L$${libdir}/tensorguard -l:libcrypto.a -ljansson -lz -lzstd
else
CRYPTO_LIBS := $(shell $(PKG_CONFIG) --libs $(PKGS) 2>/dev/null)
STATIC_LIBS := -lcrypto -ljansson -lz
endif
PC_EDIT := -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' -e 's|@STATIC_LIBS@|$(STATIC_LIBS)|'
LDLIBS := $(CRYPTO_LIBS) -lm -ldl -pthread
# What only the program needs, and the library and its users do not.
APP_PKGS := sqlite3 libevent_extra libevent_core
PKG_CFLAGS += $(shell $(PKG_CONFIG) --cflags $(APP_PKGS) 2>/dev/null)
APP_LIBS := $(shell $(PKG_CONFIG) --libs $(APP_PKGS) 2>/dev/null)
ifneq ($(wildcard $(DEPS)/ort/include/onnxruntime_c_api.h),)
ORT_CFLAGS := -isystem $(DEPS)/ort/include -DTG_WITH_ONNXRUNTIME
endif

WARN := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wcast-qual \
        -Wwrite-strings -Wpointer-arith -Wformat=2 -Wundef -Wvla -Wswitch-enum
HARDEN := -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-clash-protection
ifneq ($(filter x86_64-%,$(shell $(CC) -dumpmachine)),)
HARDEN += -fcf-protection
endif
ifneq ($(filter aarch64-%,$(shell $(CC) -dumpmachine)),)
HARDEN += -mbranch-protection=standard
endif
REPRO := -ffile-prefix-map=$(CURDIR)=. -Wdate-time
SAN_asan := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
SAN_tsan := -fsanitize=thread
SAN_fuzz := -fsanitize=fuzzer-no-link,address,undefined -fno-omit-frame-pointer
SAN_cov  := --coverage
SAN      := $(SAN_$(V))
OPT_release := -O2 -g $(HARDEN)
OPT_asan    := -O1 -g
OPT_tsan    := -O1 -g
OPT_fuzz    := -O1 -g
OPT_cov     := -O0 -g
ifeq ($(V),fuzz)
CC := clang
endif
ALL_CFLAGS = -std=gnu17 -D_GNU_SOURCE -fPIC -fvisibility=hidden -Iinclude -Isrc -MMD -MP \
             -DTG_VERSION='"$(VERSION)"' $(PKG_CFLAGS) $(ORT_CFLAGS) $(WARN) $(REPRO) $(OPT_$(V)) \
             $(SAN) $(if $(WERROR),-Werror) $(CFLAGS)
ALL_LDFLAGS = -Wl,-z,relro,-z,now -Wl,--as-needed $(SAN) $(LDFLAGS)

APP_MODULES := net store
APP_SRC  := $(sort $(wildcard $(APP_MODULES:%=src/%/*.c)))
CLI_SRC  := $(sort $(wildcard src/cli/*.c))
LIB_SRC  := $(filter-out $(APP_SRC) $(CLI_SRC),$(sort $(wildcard src/*/*.c)))
TEST_SRC := $(sort $(wildcard tests/unit/*/test_*.c tests/security/test_*.c \
              tests/integration/test_*.c tests/e2e/test_*.c tests/long/test_*.c))
FUZZ_SRC := $(sort $(wildcard tests/fuzz/fuzz_*.c))
BENCH_SRC := $(filter-out bench/measure.c,$(sort $(wildcard bench/*.c)))
EXAMPLE_SRC := $(sort $(wildcard examples/*.c))
# the kernel gains from unrolling and scheduling more than from anything else
ifeq ($(V),release)
$(B)/src/crypto/leaf_shani.o: OPT_release += -O3
endif
comma := ,
obj = $(1:%.c=$(B)/%.o)

LIB     := $(B)/libtensorguard.a
APP     := $(B)/libapp.a
TESTS   := $(TEST_SRC:%.c=$(B)/%)
REPLAY  := $(FUZZ_SRC:tests/fuzz/fuzz_%.c=$(B)/tests/fuzz/replay-%)
BENCHES := $(BENCH_SRC:%.c=$(B)/%)
EXAMPLES := $(EXAMPLE_SRC:%.c=$(B)/%)
# What `make test` runs, in this order; shell tests are programs like any other. QUICK=1 leaves out
# what tests/slow.list names; tests/long is for `make test-long` alone.
QUICK      ?=
TEST_SH    := $(sort $(wildcard $(addsuffix /*.sh,tests/cli tests/integration tests/security tests/e2e)))
TEST_SLOW  := $(shell sed 's/\#.*//' tests/slow.list) # first, when they run at all
TEST_ALL   := $(TEST_SRC:.c=) $(FUZZ_SRC:tests/fuzz/fuzz_%.c=tests/fuzz/replay-%) $(TEST_SH)
TEST_NAMES := $(if $(QUICK),,$(filter $(TEST_SLOW),$(TEST_ALL))) \
              $(filter-out tests/long/% $(TEST_SLOW),$(TEST_ALL))
LONG_NAMES := $(TEST_NAMES) $(patsubst %.c,%,$(filter tests/long/%,$(TEST_SRC))) $(wildcard tests/long/*.sh)
programs    = $(foreach t,$1,$(if $(filter %.sh,$t),$t,$(B)/$t))
# a sub-make of our own runs on all cores, unless this one has been told how many
SUBMAKE     = $(MAKE) $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc)) --no-print-directory

all: need-libraries $(B)/tensorguard $(LIB) $(B)/libtensorguard.so.0 $(B)/tensorguard.pc $(EXAMPLES)

need-libraries:
	@$(PKG_CONFIG) --atleast-version=3.5 libcrypto 2>/dev/null && $(PKG_CONFIG) --exists jansson zlib || \
	  { echo "make: OpenSSL >= 3.5, jansson or zlib is not here: run scripts/setup $(ARCH)" >&2; exit 1; }
	@$(PKG_CONFIG) --exists $(APP_PKGS) || \
	  { echo "make: SQLite or libevent is not here: run scripts/setup $(ARCH)" >&2; exit 1; }

$(LIB): $(call obj,$(LIB_SRC))
	rm -f $@ && $(AR) rcsD $@ $^
$(APP): $(call obj,$(APP_SRC))
	rm -f $@ && $(AR) rcsD $@ $^
$(B)/libtensorguard.so.0: $(call obj,$(LIB_SRC)) src/export.map
	$(CC) -shared -Wl,-soname,libtensorguard.so.0 -Wl,--version-script=src/export.map \
	  -Wl,--exclude-libs,ALL $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(LDLIBS)
	ln -sf libtensorguard.so.0 $(B)/libtensorguard.so
# no shared library may find our OpenSSL in the program and take it for the system's
$(B)/tensorguard: $(call obj,$(CLI_SRC)) $(APP) $(LIB)
	$(CC) -pie -Wl,--exclude-libs,ALL $(ALL_LDFLAGS) -o $@ $^ $(APP_LIBS) $(LDLIBS)
$(B)/tests/unit/% $(B)/bench/%: $(B)/%.o $(APP) $(LIB)
$(BENCHES): $(B)/bench/measure.o
# this one fails allocations and random numbers on purpose
$(B)/tests/security/test_faults: ALL_LDFLAGS += $(addprefix -Wl$(comma)--wrap=,malloc calloc realloc RAND_priv_bytes_ex)
$(TESTS) $(BENCHES): $(B)/%: $(B)/%.o $(APP) $(LIB)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(APP_LIBS) $(LDLIBS)
$(EXAMPLES): $(B)/%: $(B)/%.o $(B)/libtensorguard.so.0
	$(CC) $(ALL_LDFLAGS) -Wl,-rpath,'$$ORIGIN/..' -o $@ $< -L$(B) -ltensorguard -lm
$(B)/tests/fuzz/replay-%: $(B)/tests/fuzz/fuzz_%.o $(B)/tests/fuzz/replay.o $(APP) $(LIB)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(APP_LIBS) $(LDLIBS)
$(B)/tests/fuzz/fuzz-%: $(B)/tests/fuzz/fuzz_%.o $(APP) $(LIB)
	$(CC) -fsanitize=fuzzer $(ALL_LDFLAGS) -o $@ $^ $(APP_LIBS) $(LDLIBS)
$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<
$(B)/tensorguard.pc: packaging/tensorguard.pc.in VERSION Makefile
	@mkdir -p $(@D)
	@sed $(PC_EDIT) $< > $@

tests: all $(TESTS) $(REPLAY) $(BENCHES)
fuzzers: $(FUZZ_SRC:tests/fuzz/fuzz_%.c=$(B)/tests/fuzz/fuzz-%)
check:
	dev/check
# Set-up may create .deps, which this file looks at when it is read: so it is read again afterwards.
test test-long demo fuzz:
	scripts/setup $(if $(filter demo,$@),demo,test)
	+@$(SUBMAKE) $(if $(filter fuzz,$@),V=fuzz) do-$@
do-test: tests
	@dev/run-tests $(B) $(call programs,$(TEST_NAMES))
do-test-long: tests
	@TG_LONG=1 TG_TEST_SECONDS=$${TG_TEST_SECONDS:-3600} dev/run-tests $(B) $(call programs,$(LONG_NAMES))
do-demo: all
	scripts/demo
do-fuzz: fuzzers
	dev/run-fuzzers $(B)
coverage:
	+@$(SUBMAKE) V=cov do-coverage
do-coverage: tests
	find $(B) -name '*.gcda' -delete
	dev/run-tests $(B) $(call programs,$(TEST_NAMES))
	dev/coverage $(B)

# Static use needs an OpenSSL >= 3.5 as well; where the system has none, ours is put beside it.
DEST := $(DESTDIR)$(PREFIX)
install: all
	install -d $(DEST)/bin $(DEST)/lib/pkgconfig $(DEST)/include/tensorguard $(DEST)/share/man/man1 \
	  $(DEST)/share/man/man5 $(DEST)/share/doc/tensorguard $(DEST)/share/zsh/site-functions \
	  $(DEST)/share/bash-completion/completions $(DEST)/share/fish/vendor_completions.d
	install -m 755 $(B)/tensorguard $(DEST)/bin/tensorguard
	install -m 644 $(LIB) $(DEST)/lib/libtensorguard.a
	install -m 755 $(B)/libtensorguard.so.0 $(DEST)/lib/libtensorguard.so.$(VERSION)
	ln -sfn libtensorguard.so.$(VERSION) $(DEST)/lib/libtensorguard.so.0
	ln -sfn libtensorguard.so.0 $(DEST)/lib/libtensorguard.so
	$(if $(OWN_CRYPTO),install -d $(DEST)/lib/tensorguard)
	$(if $(OWN_CRYPTO),install -m 644 $(OWN_CRYPTO) $(DEST)/lib/tensorguard/libcrypto.a)
	$(if $(OWN_CRYPTO),install -m 644 $(OPENSSL)/COPYRIGHT $(DEST)/share/doc/tensorguard/COPYRIGHT.openssl)
	sed $(PC_EDIT) packaging/tensorguard.pc.in > $(B)/tensorguard.pc.installed
	install -m 644 $(B)/tensorguard.pc.installed $(DEST)/lib/pkgconfig/tensorguard.pc
	install -m 644 include/tensorguard/*.h $(DEST)/include/tensorguard
	install -m 644 $(wildcard docs/man/*.1) $(DEST)/share/man/man1
	install -m 644 $(wildcard docs/man/*.5) $(DEST)/share/man/man5
	install -m 644 LICENSE $(DEST)/share/doc/tensorguard/LICENSE
	install -m 644 packaging/completion/tensorguard.bash $(DEST)/share/bash-completion/completions/tensorguard
	install -m 644 packaging/completion/tensorguard.zsh $(DEST)/share/zsh/site-functions/_tensorguard
	install -m 644 packaging/completion/tensorguard.fish $(DEST)/share/fish/vendor_completions.d/tensorguard.fish

compile_commands.json: Makefile $(LIB_SRC) $(APP_SRC) $(CLI_SRC) $(TEST_SRC) $(FUZZ_SRC) $(BENCH_SRC) $(EXAMPLE_SRC)
	@{ sep='['; for f in $(filter %.c,$^); do \
	  printf '%s\n{"directory":"%s","file":"%s","command":"%s -c %s"}' "$$sep" '$(CURDIR)' $$f \
	    '$(subst ','\'',$(subst ",\",$(CC) $(ALL_CFLAGS)))' $$f; sep=,; done; printf '\n]\n'; } > $@
# for tools that compile by themselves, without dependency files
print-flags:
	@printf '%s\n' "$(subst ",\",$(filter-out -MMD -MP,$(ALL_CFLAGS)))"
print-link:
	@printf '%s\n' '$(ALL_LDFLAGS)' '$(LDLIBS)'
clean:
	rm -rf build
.PHONY: all tests fuzzers check install clean need-libraries test test-long demo fuzz coverage \
  do-test do-test-long do-demo do-fuzz do-coverage print-flags print-link
.SECONDARY:
-include $(shell find $(B) -name '*.d' 2>/dev/null)

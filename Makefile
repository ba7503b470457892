# TensorGuard. `make`, `make test`, `make demo`, `make install`; V=asan|tsan|cov|fuzz builds a
# variant beside the release one. Targets that need more than is installed call scripts/setup.
PREFIX  ?= /usr/local
V       ?= release
B       := build/$(V)
VERSION := $(shell cat VERSION)
DEPS    := $(CURDIR)/.deps

# OpenSSL >= 3.5: the system's (Debian 13), or the one that scripts/setup made (Debian 12). The
# latter is linked from its archives, so that nothing installed depends on this folder.
PKG_CONFIG  := PKG_CONFIG_PATH='$(DEPS)/openssl/lib/pkgconfig:$(PKG_CONFIG_PATH)' pkg-config
PKGS        := libcrypto jansson zlib
PKG_CFLAGS  := $(shell $(PKG_CONFIG) --cflags $(PKGS) 2>/dev/null)
ifneq ($(wildcard $(DEPS)/openssl/lib/libcrypto.a),)
CRYPTO_LIBS := $(DEPS)/openssl/lib/libcrypto.a $(shell $(PKG_CONFIG) --libs jansson zlib libzstd 2>/dev/null)
else
CRYPTO_LIBS := $(shell $(PKG_CONFIG) --libs $(PKGS) 2>/dev/null)
endif
LDLIBS := $(CRYPTO_LIBS) -lm -ldl -pthread
ifneq ($(wildcard $(DEPS)/ort/include/onnxruntime_c_api.h),)
ORT_CFLAGS := -isystem $(DEPS)/ort/include -DTG_WITH_ONNXRUNTIME
endif

WARN := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wcast-qual \
        -Wwrite-strings -Wpointer-arith -Wformat=2 -Wundef -Wvla -Wswitch-enum
HARDEN := -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-clash-protection
ifneq ($(filter x86_64-%,$(shell $(CC) -dumpmachine)),)
HARDEN += -fcf-protection
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

LIB_SRC  := $(filter-out src/cli/%,$(sort $(wildcard src/*/*.c)))
CLI_SRC  := $(sort $(wildcard src/cli/*.c))
TEST_SRC := $(sort $(wildcard tests/unit/*/test_*.c))
FUZZ_SRC := $(sort $(wildcard tests/fuzz/fuzz_*.c))
BENCH_SRC := $(filter-out bench/measure.c,$(sort $(wildcard bench/*.c)))
EXAMPLE_SRC := $(sort $(wildcard examples/*.c))
# the kernel gains from unrolling and scheduling more than from anything else
ifeq ($(V),release)
$(B)/src/crypto/leaf_shani.o: OPT_release += -O3
endif
obj = $(1:%.c=$(B)/%.o)

LIB     := $(B)/libtensorguard.a
TESTS   := $(TEST_SRC:%.c=$(B)/%)
REPLAY  := $(FUZZ_SRC:tests/fuzz/fuzz_%.c=$(B)/tests/fuzz/replay-%)
BENCHES := $(BENCH_SRC:%.c=$(B)/%)
EXAMPLES := $(EXAMPLE_SRC:%.c=$(B)/%)

all: need-openssl $(B)/tensorguard $(LIB) $(B)/libtensorguard.so.0 $(B)/tensorguard.pc $(EXAMPLES)

need-openssl:
	@$(PKG_CONFIG) --atleast-version=3.5 libcrypto 2>/dev/null && $(PKG_CONFIG) --exists jansson zlib || \
	  { echo "make: OpenSSL >= 3.5, jansson or zlib is not here: run scripts/setup" >&2; exit 1; }

$(LIB): $(call obj,$(LIB_SRC))
	rm -f $@ && $(AR) rcsD $@ $^
$(B)/libtensorguard.so.0: $(call obj,$(LIB_SRC)) src/export.map
	$(CC) -shared -Wl,-soname,libtensorguard.so.0 -Wl,--version-script=src/export.map \
	  -Wl,--exclude-libs,ALL $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(LDLIBS)
	ln -sf libtensorguard.so.0 $(B)/libtensorguard.so
$(B)/tensorguard: $(call obj,$(CLI_SRC)) $(LIB)
	$(CC) -pie $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)
$(B)/tests/unit/% $(B)/bench/%: $(B)/%.o $(LIB)
$(BENCHES): $(B)/bench/measure.o
$(TESTS) $(BENCHES): $(B)/%: $(B)/%.o $(LIB)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)
$(EXAMPLES): $(B)/%: $(B)/%.o $(B)/libtensorguard.so.0
	$(CC) $(ALL_LDFLAGS) -Wl,-rpath,'$$ORIGIN/..' -o $@ $< -L$(B) -ltensorguard -lm
$(B)/tests/fuzz/replay-%: $(B)/tests/fuzz/fuzz_%.o $(B)/tests/fuzz/replay.o $(LIB)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)
$(B)/tests/fuzz/fuzz-%: $(B)/tests/fuzz/fuzz_%.o $(LIB)
	$(CC) -fsanitize=fuzzer $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)
$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<
$(B)/tensorguard.pc: packaging/tensorguard.pc.in VERSION
	@mkdir -p $(@D)
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' $< > $@

tests: all $(TESTS) $(REPLAY) $(BENCHES)
fuzzers: $(FUZZ_SRC:tests/fuzz/fuzz_%.c=$(B)/tests/fuzz/fuzz-%)
check:
	dev/check
clean:
	rm -rf build
.PHONY: all tests fuzzers check install clean need-openssl
.SECONDARY:
-include $(shell find $(B) -name '*.d' 2>/dev/null)

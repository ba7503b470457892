#!/bin/bash
# Every command under valgrind, on a way that goes well and on one that fails: no access outside of
# memory, nothing undefined that decides anything, nothing lost, no file left open.
#
# Valgrind 3.19 emulates a processor with AVX2 but without AVX-512 and SHA-NI, and says so through
# CPUID, which both OpenSSL and src/crypto/leaf_shani.c ask: so neither needs a mask (OPENSSL_ia32cap),
# and the portable leaf kernel runs. That the packages come out the same is checked. It also does not
# know openat2 (system call 437), so that the way of older kernels is taken (src/util/dir.c).
# What OpenSSL keeps until the end is still reachable, which is no error.
# shellcheck disable=SC2317 # functions are called through ok and exits
. "$(dirname "$0")/../lib.sh"
# shellcheck disable=SC2154 # lib.sh
command -v valgrind >/dev/null || skip_all 'valgrind is not here'
if grep -q __asan_init "$build/tensorguard" || grep -q __tsan_init "$build/tensorguard"; then
	skip_all 'a sanitizer does not go with valgrind'
fi
: "${TG_ONNXRUNTIME:=$repo/.deps/ort/lib/libonnxruntime.so}"
export TG_ONNXRUNTIME

# ld.so compares the RPATH of a library that is loaded at run time word by word, a few bytes beyond the
# end of its string but not of its block; its strncmp comes before any that valgrind could replace.
cat >libc.supp <<-'T'
	{
		strncmp in ld.so, on the way to ONNX Runtime
		Memcheck:Addr8
		fun:strncmp
		fun:is_dst
		...
		fun:_dl_map_object
	}
T
# Newer versions take a file for an error that was open before and is still; our caller may have some.
alone() (
	for f in /proc/"$BASHPID"/fd/*; do
		[ "${f##*/}" -le 2 ] || eval "exec ${f##*/}>&-"
	done 2>/dev/null
	exec "$@"
)
vg() { # COMMAND...: 99 when valgrind has something to say
	local code=0
	alone valgrind --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect,possible \
		--errors-for-leak-kinds=definite,indirect,possible --track-fds=yes --num-callers=30 --suppressions=libc.supp \
		--log-file=vg.log tensorguard "$@" || code=$?
	if [ "$code" -eq 99 ]; then
		sed 's/^==[0-9]*== //' vg.log >&2
	elif grep -A 1 'Open file descriptor' vg.log | grep -v 'Open file\|inherited from parent\|^--' >&2; then
		code=98 # a file that nobody closed
	elif grep 'unrecognised instruction\|Illegal opcode' vg.log >&2; then
		code=97
	fi
	return "$code"
}
by=(--key keys/encryption.priv --trust keys/signing.pub)

# ---- keys ----

ok 'keygen' vg keygen --type both --no-passphrase --out keys
exits 5 'keygen: keys are there' vg keygen --type both --no-passphrase --out keys
ok 'keygen: a reproducible secret' vg keygen --type repro --out keys --json
ok 'other keys' tensorguard keygen --type both --no-passphrase --out other

# ---- build ----

mkdir model code
head -c 200000 /dev/urandom >model/weights.bin
: >model/empty
{
	header='{"t":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}'
	printf '\x39\0\0\0\0\0\0\0%s' "$header"
	head -c 24 /dev/urandom
} >model/m.safetensors
{ # y = Identity(x), two floats
	printf '\x08\x08\x3a\x37\x0a\x10\x0a\x01\x78\x12\x01\x79\x22\x08\x49\x64\x65\x6e\x74\x69\x74\x79\x12\x01'
	printf '\x67\x5a\x0f\x0a\x01\x78\x12\x0a\x0a\x08\x08\x01\x12\x04\x0a\x02\x08\x02\x62\x0f\x0a\x01\x79\x12'
	printf '\x0a\x0a\x08\x08\x01\x12\x04\x0a\x02\x08\x02\x42\x02\x10\x0d'
} >model/identity.onnx
printf '\x80\x04cposix\nsystem\n.' >code/bad.pkl
build=(build --input-dir model --signing-key keys/signing.priv --model-name m --rollback-index 3
	--delegate other/signing.pub --reproducible keys/repro.key --threads 2)
ok 'build' vg "${build[@]}" --out p.tgsp
ok 'the same without valgrind' tensorguard "${build[@]}" --out native.tgsp
same 'byte for byte: another leaf kernel, another OpenSSL code path' p.tgsp native.tgsp
exits 4 'build: a pickle' vg build --input-dir code --out x.tgsp --signing-key keys/signing.priv
exits 66 'build: no such folder' vg build --input-dir absent --out x.tgsp --signing-key keys/signing.priv

# ---- read ----

sed 's/"model_name":"m"/"model_name":"n"/' p.tgsp >bent.tgsp
head -c 3000 p.tgsp >cut.tgsp
cp p.tgsp chunk.tgsp
printf 'XXXX' | dd of=chunk.tgsp bs=1 seek=100000 conv=notrunc status=none
ok 'verify' vg verify p.tgsp --trust keys/signing.pub
ok 'verify --deep --json' vg verify p.tgsp "${by[@]}" --deep --json --threads 2
exits 3 'verify: a changed manifest' vg verify bent.tgsp --trust keys/signing.pub
exits 3 'verify: a changed chunk' vg verify chunk.tgsp --trust keys/signing.pub --threads 2
exits 65 'verify: cut short' vg verify cut.tgsp --trust keys/signing.pub
ok 'inspect' vg inspect p.tgsp --tensors
ok 'inspect --json' vg inspect p.tgsp --json
exits 65 'inspect: no package' vg inspect keys/signing.pub
ok 'open' vg open p.tgsp "${by[@]}" --out opened --threads 2
ok 'all of it' diff -r model opened
exits 5 'open: it is there already' vg open p.tgsp "${by[@]}" --out opened
exits 4 'open: not for this key' vg open p.tgsp --key other/encryption.priv --trust keys/signing.pub --out x
exits 3 'open: a changed chunk' vg open chunk.tgsp "${by[@]}" --out x
ok 'open --tar' vg open p.tgsp "${by[@]}" --tar
ok 'open --file' vg open p.tgsp "${by[@]}" --file weights.bin -
same 'it' "$out" model/weights.bin
ok 'open --tensor' vg open p.tgsp "${by[@]}" --tensor t --out t.npy
exits 66 'open: no such tensor' vg open p.tgsp "${by[@]}" --tensor u --out u.npy
mkdir state
ok 'open --state' vg open p.tgsp "${by[@]}" --state state --file empty - --trust-delegate other/signing.pub
piped() { vg "$@" <p.tgsp; }
short() { head -c 20000 p.tgsp | vg "$@"; }
ok 'open from a pipe' piped open - "${by[@]}" --tar
exits 65 'open: the pipe ends early' short open - "${by[@]}" --tar

# ---- run ----

{ # 1, 2.5
	printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }"
	printf '\x00\x00\x80\x3f\x00\x00\x20\x40'
} >x.npy
if [ -e "$TG_ONNXRUNTIME" ]; then
	ok 'run' vg run p.tgsp "${by[@]}" --input x=x.npy --threads 1
	has 'predicts' out 'y F32 [2] 1 2.5'
	exits 64 'run: an input is missing' vg run p.tgsp "${by[@]}" --threads 1
else
	exits 69 'run: no runtime' vg run p.tgsp "${by[@]}" --input x=x.npy
fi
exits 65 'run: an input that is none' vg run p.tgsp "${by[@]}" --input x=keys/signing.pub

# ---- rekey ----

ok 'rekey' vg rekey p.tgsp "${by[@]}" --signing-key keys/signing.priv --add other/encryption.pub
ok 'rekey: by a delegate, removing' vg rekey p.tgsp "${by[@]}" --signing-key other/signing.priv \
	--remove other/encryption.pub --out q.tgsp --json
exits 66 'rekey: removing who is not there' vg rekey q.tgsp "${by[@]}" --trust-delegate other/signing.pub \
	--signing-key keys/signing.priv --remove other/encryption.pub
exits 3 'rekey: a changed manifest' vg rekey bent.tgsp "${by[@]}" --signing-key keys/signing.priv \
	--add other/encryption.pub

# ---- evidence ----

echo '{"event_type":"NOTE_ADDED","note":"one"}' >events
ok 'evidence create' vg evidence create log --origin example.com/log
exits 5 'evidence create: there is one' vg evidence create log --origin example.com/log
ok 'evidence append' vg evidence append log events
exits 65 'evidence append: no event' vg evidence append log keys/signing.pub
ok 'a verb with a log' vg verify p.tgsp --trust keys/signing.pub --evidence log
exits 3 'a refusal with a log' vg verify bent.tgsp --trust keys/signing.pub --evidence log
ok 'evidence checkpoint' vg evidence checkpoint log --print
ok 'evidence list' vg evidence list log --type NOTE_ADDED
ok 'evidence follow' vg evidence follow log --all --once
ok 'evidence prove' vg evidence prove log 1 --with-record --out one.tlog-proof
ok 'evidence verify --proof' vg evidence verify --proof one.tlog-proof --policy log/log.policy
ok 'evidence export' vg evidence export log --out audit
ok 'evidence verify' vg evidence verify log --policy log/log.policy --threads 2
sed -i 's/"note":"one"/"note":"two"/' log/segments/*
exits 3 'evidence verify: a changed record' vg evidence verify log --policy log/log.policy --json

# ---- trust ----

ok 'trust add' vg trust add store.json keys/signing.pub --label 'the author' --not-before 5
ok 'trust add: one more' vg trust add store.json other/signing.pub --role delegate
exits 5 'trust add: it is there' vg trust add store.json keys/signing.pub
ok 'trust list' vg trust list store.json
ok 'trust list --json' vg trust list store.json --json
ok 'verify with a store' vg verify q.tgsp --trust store.json --trust keys
ok 'trust remove' vg trust remove store.json "$(sed 's/.*"key_id":"\([0-9a-f]*\)".*/\1/' keys/signing.pub)"
exits 66 'trust remove: no such key' vg trust remove store.json 00000000000000000000000000000000
head -c 100 store.json >damaged.json
exits 65 'trust list: damaged' vg trust list damaged.json

# ---- and the words around them ----

ok 'help' vg rekey -h
ok '--version' vg --version
exits 64 'no command' vg
exits 64 'an unknown option' vg verify p.tgsp --what
done_testing

#!/bin/bash
# A model that is verified or run is never written anywhere in the clear: no system call that writes
# carries a marker that the model holds. `open --tar`, which has to write it, shows that the search
# would find it.
# shellcheck disable=SC2317 # functions are called through ok and exits
. "$(dirname "$0")/../lib.sh"

command -v strace >/dev/null || skip_all 'strace is not here'
strace -qq -o /dev/null true 2>/dev/null || skip_all 'strace may not trace here'
export ASAN_OPTIONS=detect_leaks=0 # which does not work under strace
model=$repo/.deps/models/silero/silero_vad.onnx
runtime=${TG_ONNXRUNTIME:-$repo/.deps/ort/lib/libonnxruntime.so}

# 64 letters, told to the model as a metadata entry, which ONNX allows to be appended:
# field 14 { key "k", value MARKER }
marker=THIS-IS-THE-PLAINTEXT-OF-A-MODEL-AND-NOBODY-MAY-WRITE-IT-ANYWHER
mkdir m
if [ -r "$model" ]; then cp "$model" m/model.onnx; else head -c 100000 /dev/zero >m/model.onnx; fi
printf '\162\105\012\001k\022\100%s' "$marker" >>m/model.onnx
ok 'keys' tensorguard keygen --type both --out keys --no-passphrase
ok 'a package' tensorguard build --input-dir m --out m.tgsp --signing-key keys/signing.priv --no-tensors

# Everything that can write, with all of what it writes.
traced() { # COMMAND...: $out is what strace saw
	strace -f -qq -s 1048576 -o trace \
		-e trace=write,pwrite64,writev,pwritev,pwritev2,sendto,sendmsg,sendmmsg,sendfile,splice,vmsplice,copy_file_range,tee \
		"$@" >/dev/null 2>"$err"
}
secret_of() { sed 's/.*"private":{"classic":"\([^"]*\)".*/\1/' "$1"; }

ok 'verify' traced tensorguard verify m.tgsp --trust keys/signing.pub
lacks 'verify writes nothing of it' trace "$marker"

open_args=(--key keys/encryption.priv --trust keys/signing.pub)
ok 'opening to a stream' traced tensorguard open m.tgsp "${open_args[@]}" --tar
has 'which is found, being written' trace "$marker"
lacks 'the decryption key is not in it' trace "$(secret_of keys/encryption.priv)"

if [ ! -r "$model" ] || [ ! -r "$runtime" ]; then
	skip 'no model or no ONNX Runtime to run it with'
	done_testing
fi
npy() { # FILE DESCR SHAPE BYTES
	local head="{'descr': '$2', 'fortran_order': False, 'shape': $3, }"
	printf "\223NUMPY\001\000\166\000%-117s\n" "$head" >"$1"
	cat >>"$1"
	head -c "$4" /dev/zero >>"$1"
}
npy x.npy '<f4' '(1, 576)' 2304 </dev/null
npy state.npy '<f4' '(2, 1, 128)' 1024 </dev/null
printf '\200\076\000\000\000\000\000\000' | npy sr.npy '<i8' '()' 0
export TG_ONNXRUNTIME=$runtime
ok 'run' traced tensorguard run m.tgsp "${open_args[@]}" --input input=x.npy --input state=state.npy \
	--input sr=sr.npy --output output=y.npy
ok 'it answers' test -s y.npy
lacks 'run writes nothing of the model' trace "$marker"
lacks 'nor of the key' trace "$(secret_of keys/encryption.priv)"
strace -f -qq -s 4096 -e trace=execve -o execs tensorguard verify m.tgsp --trust keys/signing.pub >"$out" 2>&1
lacks 'no key is in an argument' execs "$(secret_of keys/signing.priv)"
done_testing

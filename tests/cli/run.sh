#!/bin/bash
# run: one prediction of a packaged model, from arrays to arrays.
# shellcheck disable=SC2154,SC2317 # $out and $err come from lib.sh; functions are called through ok
. "$(dirname "$0")/../lib.sh"
: "${TG_ONNXRUNTIME:=$repo/.deps/ort/lib/libonnxruntime.so}"
export TG_ONNXRUNTIME

tensorguard keygen --type both --out k --no-passphrase >/dev/null || exit 1
identity() { # y = Identity(x), two floats
	printf '\x08\x08\x3a\x37\x0a\x10\x0a\x01\x78\x12\x01\x79\x22\x08\x49\x64\x65\x6e\x74\x69\x74\x79\x12\x01'
	printf '\x67\x5a\x0f\x0a\x01\x78\x12\x0a\x0a\x08\x08\x01\x12\x04\x0a\x02\x08\x02\x62\x0f\x0a\x01\x79\x12'
	printf '\x0a\x0a\x08\x08\x01\x12\x04\x0a\x02\x08\x02\x42\x02\x10\x0d'
}
npy() { # FILE DESCR SHAPE [BYTES-AS-PRINTF]
	printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' "{'descr': '$2', 'fortran_order': False, 'shape': $3, }" >"$1"
	# shellcheck disable=SC2059
	printf "${4-}" >>"$1"
}
two='\x00\x00\x80\x3f\x00\x00\x20\x40' # 1, 2.5
npy x.npy '<f4' '(2,)' "$two"
build() { # FOLDER OPTION...
	local folder=$1
	shift
	tensorguard build --input-dir "$folder" --out "$folder.tgsp" --signing-key k/signing.priv \
		--recipient k/encryption.pub "$@" >/dev/null || exit 1
}
mkdir one && identity >one/model.onnx && build one --rollback-index 3
mkdir several && identity >several/a.onnx && identity >several/b.onnx && build several
mkdir none && echo text >none/README && build none
mkdir broken && identity | LC_ALL=C sed s/Identity/Idontity/ >broken/model.onnx && build broken
key=(--key k/encryption.priv --trust k/signing.pub)
predict() { # PACKAGE OPTION...
	local package=$1
	shift
	tensorguard run "$package" "${key[@]}" "$@"
}

# ---- what is refused before any model is loaded ----

exits 64 'no package' tensorguard run "${key[@]}"
exits 64 'no key' tensorguard run one.tgsp --trust k/signing.pub --input x=x.npy
exits 64 'an input without a name' predict one.tgsp --input x.npy
exits 64 'an input without a file' predict one.tgsp --input x=
exits 66 'an input that is not there' predict one.tgsp --input x=absent.npy
exits 65 'an input that is no array' predict one.tgsp --input x=one/model.onnx
printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }" >o.npy
exits 4 'an array of Python objects' predict one.tgsp --input x=o.npy
is 'gives nothing' "$(cat "$out")" ''
printf 'short' >>x.npy
exits 65 'an array with something behind it' predict one.tgsp --input x=x.npy
npy x.npy '<f4' '(2,)' "$two"
exits 69 'no model in the package' predict none.tgsp --input x=x.npy
exits 66 'no such model' predict one.tgsp --input x=x.npy --model other.onnx
exits 64 'several models' predict several.tgsp --input x=x.npy
has 'it says how to choose' err 'for example --model '
exits 69 'no runtime' env TG_ONNXRUNTIME=/nonexistent/lib.so tensorguard run one.tgsp "${key[@]}" --input x=x.npy
is 'is one line' "$(wc -l <"$err")" 1

[ -r "$TG_ONNXRUNTIME" ] || {
	skip 'no ONNX Runtime here (scripts/setup fetches it)'
	done_testing
}

# ---- predictions ----

ok 'a prediction' predict one.tgsp --input x=x.npy
is 'is printed' "$(cat "$out")" 'y F32 [2] 1 2.5'
ok 'into a file' predict one.tgsp --input x=x.npy --output y=y.npy
is 'silently' "$(cat "$out" "$err")" ''
same 'the same array' <(tail -c 8 y.npy) <(tail -c 8 x.npy)
is 'an array that NumPy reads' "$(head -c 6 y.npy | od -An -c | tr -d ' ')" '223NUMPY'
is 'of the same length' "$(($(stat -c %s y.npy) % 64))" 8
ok 'over an older file' predict one.tgsp --input x=x.npy --output y=y.npy
ok 'a chosen model' predict several.tgsp --input x=x.npy --model b.onnx
ok 'on one thread' predict one.tgsp --input x=x.npy --threads 1
ok 'by the alias' tensorguard tgsp run one.tgsp "${key[@]}" --input x=x.npy

refused() { # NAME TEXT OPTION...: usage; nothing written
	local name=$1 text=$2
	shift 2
	rm -f z.npy
	exits 64 "$name" predict one.tgsp "$@"
	has "$name: it says what" err "$text"
	is "$name: nothing is written" "$(cat "$out")$([ -e z.npy ] && echo there)" ''
}
npy three.npy '<f4' '(3,)' "$two\\0\\0\\0\\0"
npy double.npy '<f8' '(1,)' "$two"
npy matrix.npy '<f4' '(1, 2)' "$two"
refused 'no input' 'x' --output y=z.npy
refused 'another name' 'w' --input w=x.npy --output y=z.npy
refused 'an input too many' 'w' --input x=x.npy --input w=x.npy --output y=z.npy
refused 'an input twice' 'x' --input x=x.npy --input x=x.npy --output y=z.npy
refused 'another length' 'x' --input x=three.npy --output y=z.npy
refused 'another type' 'x' --input x=double.npy --output y=z.npy
refused 'another rank' 'x' --input x=matrix.npy --output y=z.npy
refused 'no such output' 'no output "w"' --input x=x.npy --output w=z.npy
exits 66 'an output in no folder' predict one.tgsp --input x=x.npy --output y=absent/z.npy
exits 65 'a model that the runtime refuses' predict broken.tgsp --input x=x.npy
is 'in one line' "$(wc -l <"$err")" 1

# ---- policy and floors ----

mkdir state
ok 'with a state' predict one.tgsp --input x=x.npy --state state
has 'the floor is set' state/rollback.json '"index":3'
mkdir old && identity >old/model.onnx && build old --rollback-index 2
exits 4 'an older package is refused' predict old.tgsp --input x=x.npy --state state
is 'and does not run' "$(cat "$out")" ''
cp one.tgsp bad.tgsp
at=$(tensorguard inspect one.tgsp | awk '$1 == "ciphertext" { print $2 }')
printf X | dd of=bad.tgsp bs=1 seek="$at" conv=notrunc status=none
exits 3 'a damaged package does not run' predict bad.tgsp --input x=x.npy
is 'at all' "$(cat "$out")" ''
is 'no temporary file' "$(find . -name '.tg-*')" ''
done_testing

#!/bin/bash
# Packages from a pipe: the same results as from a file, nothing of one before its tail has been
# verified, and no more memory than --pipe-limit allows.
# shellcheck disable=SC2016,SC2317 # commands and functions are for ok and exits to run
. "$(dirname "$0")/../lib.sh"
: "${TG_ONNXRUNTIME:=$repo/.deps/ort/lib/libonnxruntime.so}"
export TG_ONNXRUNTIME

ok 'keys' tensorguard keygen --type both --no-passphrase --out keys
ok "somebody else's" tensorguard keygen --type both --no-passphrase --out other
mkdir -p model/sub
head -c 300000 /dev/urandom >model/weights.bin
echo 'a model' >model/README
: >model/sub/empty
{ # y = Identity(x), two floats
	printf '\x08\x08\x3a\x37\x0a\x10\x0a\x01\x78\x12\x01\x79\x22\x08\x49\x64\x65\x6e\x74\x69\x74\x79\x12\x01'
	printf '\x67\x5a\x0f\x0a\x01\x78\x12\x0a\x0a\x08\x08\x01\x12\x04\x0a\x02\x08\x02\x62\x0f\x0a\x01\x79\x12'
	printf '\x0a\x0a\x08\x08\x01\x12\x04\x0a\x02\x08\x02\x42\x02\x10\x0d'
} >model/identity.onnx
{ # 1, 2.5
	printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }"
	printf '\x00\x00\x80\x3f\x00\x00\x20\x40'
} >x.npy
ok 'a package' tensorguard build --input-dir model --out p.tgsp --signing-key keys/signing.priv --model-name m

key=(--key keys/encryption.priv) trust=(--trust keys/signing.pub)
piped() { # FILE COMMAND...: the file comes through a pipe
	local file=$1
	shift
	# the file may end before or after the program does
	# shellcheck disable=SC2002
	{ cat "$file" 2>/dev/null || :; } | "$@"
}

# ---- the same as from a file ----

ok 'verify' piped p.tgsp tensorguard verify - "${trust[@]}"
tail -n +2 "$out" >from-pipe
has 'it says what it read' out '-: verified'
is 'the rest is the same' "$(cat from-pipe)" "$(tensorguard verify p.tgsp "${trust[@]}" | tail -n +2)"
ok 'verify --deep --json' piped p.tgsp tensorguard verify - "${trust[@]}" "${key[@]}" --deep --json
same 'the same' "$out" <(tensorguard verify p.tgsp "${trust[@]}" "${key[@]}" --deep --json)
ok 'open --out' piped p.tgsp tensorguard open - "${key[@]}" "${trust[@]}" --out m
ok 'the same files' diff -r model m
ok 'open --tar' piped p.tgsp tensorguard open - "${key[@]}" "${trust[@]}" --tar
tensorguard open p.tgsp "${key[@]}" "${trust[@]}" --tar >file.tar
same 'the same stream' "$out" file.tar
is 'with all files in it' "$(tar tf "$out" | sort | xargs)" 'README identity.onnx sub/empty weights.bin'
ok 'open --file to standard output' piped p.tgsp tensorguard open - "${key[@]}" "${trust[@]}" --file weights.bin -
same 'the same bytes' "$out" model/weights.bin
ok 'open --file to a path, on one thread' piped p.tgsp tensorguard open - "${key[@]}" "${trust[@]}" \
	--file weights.bin w --threads 1
same 'the same file' w model/weights.bin
ok 'from a file as standard input' bash -c 'tensorguard verify - --trust keys/signing.pub <p.tgsp'
predict() { tensorguard run "$1" "${key[@]}" "${trust[@]}" --input x=x.npy; }
want=0
[ -e "$TG_ONNXRUNTIME" ] || want=69
exits $want 'run' piped p.tgsp predict -
run_err=$(sed 's/.*: -: //' "$err")
same 'the same prediction' "$out" <(predict p.tgsp 2>/dev/null)
is 'and the same messages' "$run_err" "$(predict p.tgsp 2>&1 >/dev/null | sed 's/.*: p.tgsp: //')"
[ $want -ne 0 ] || has 'which is right' <(predict p.tgsp) 'y F32 [2] 1 2.5'

# ---- refused as from a file, and nothing of it comes out ----

cp p.tgsp last.tgsp # its last chunk broken: files before that are intact
pos=$(tensorguard inspect p.tgsp | awk '$1 == "ciphertext" { print $2 + $3 - 5 }')
printf 'XXXX' | dd of=last.tgsp bs=1 seek="$pos" conv=notrunc status=none
sed 's/"model_name":"m"/"model_name":"n"/' p.tgsp >manifest.tgsp
size=$(stat -c %s p.tgsp)
head -c $((size - 1)) p.tgsp >cut1.tgsp
head -c $((size - 5000)) p.tgsp >cut5000.tgsp
head -c "$(tensorguard inspect p.tgsp | awk '$1 == "signature" { print $2 - 4 }')" p.tgsp >unsigned.tgsp
head -c 100000 p.tgsp >half.tgsp
head -c 3 p.tgsp >three.tgsp
: >nothing.tgsp
{ cat p.tgsp && printf x; } >longer.tgsp
{ # a good package with the signature of another
	tensorguard build --input-dir model --out q.tgsp --signing-key keys/signing.priv --model-name m >/dev/null 2>&1
	cat unsigned.tgsp
	tail -c +$(($(tensorguard inspect q.tgsp | awk '$1 == "signature" { print $2 - 4 }') + 1)) q.tgsp
} >swapped.tgsp
for bad in cut1 cut5000 unsigned half three nothing longer swapped manifest; do
	case $bad in swapped | manifest) code=3 ;; *) code=65 ;; esac
	exits $code "$bad: --tar" piped $bad.tgsp tensorguard open - "${key[@]}" "${trust[@]}" --tar
	is "$bad: not a byte" "$(wc -c <"$out")" 0
	exits $code "$bad: --file" piped $bad.tgsp tensorguard open - "${key[@]}" "${trust[@]}" --file README -
	is "$bad: nor of a file before the damage" "$(wc -c <"$out")" 0
	exits $code "$bad: --out" piped $bad.tgsp tensorguard open - "${key[@]}" "${trust[@]}" --out bad
	exits $code "$bad: verify" piped $bad.tgsp tensorguard verify - "${trust[@]}"
	is "$bad: and no report" "$(wc -c <"$out") $(wc -l <"$err")" '0 1'
done
exits 3 'the last chunk is broken: verify' piped last.tgsp tensorguard verify - "${trust[@]}"
exits 3 'the last chunk is broken: --out' piped last.tgsp tensorguard open - "${key[@]}" "${trust[@]}" --out bad
exits 3 'the last chunk is broken: --tar' piped last.tgsp tensorguard open - "${key[@]}" "${trust[@]}" --tar
ok 'whose stream has no end' bash -c '! cmp -s "$1" file.tar && [ "$(wc -c <"$1")" -lt "$(wc -c <file.tar)" ]' - "$out"
mkdir state
for from in last.tgsp -; do
	exits 3 "run $from --state: all of it is verified first" piped last.tgsp tensorguard \
		run $from "${key[@]}" "${trust[@]}" --input x=x.npy --state state
	is 'nothing is predicted' "$(wc -c <"$out") $(ls -A state)" '0 '
done
exits 3 'an author who is not trusted' piped p.tgsp tensorguard open - "${key[@]}" --trust other/signing.pub --tar
is 'not a byte' "$(wc -c <"$out")" 0
exits 4 'a key it is not for' piped p.tgsp tensorguard open - --key other/encryption.priv "${trust[@]}" --tar
is 'not a byte' "$(wc -c <"$out")" 0
ok 'nothing was extracted' test ! -e bad

# ---- a writer that takes its time ----

slow() { # the file in pieces
	head -c 3 p.tgsp
	sleep 0.1
	head -c 5000 p.tgsp | tail -c +4
	sleep 0.1
	tail -c +5001 p.tgsp
}
slowly() { slow | "$@"; }
ok 'a slow pipe' slowly tensorguard open - "${key[@]}" "${trust[@]}" --tar
same 'the same stream' "$out" file.tar

mkfifo way
tensorguard open - "${key[@]}" "${trust[@]}" --tar <way >late.tar 2>late.err &
stream=$!
exec 3>way
head -c -1 p.tgsp >&3
sleep 0.3
is 'one byte is missing: nothing comes out yet' "$(wc -c <late.tar)" 0
ok 'though the reader is waiting' kill -0 $stream
tail -c 1 p.tgsp >&3
exec 3>&-
wait $stream
is 'the last byte: it ends well' $? 0
same 'and all of it comes' late.tar file.tar

tensorguard open - "${key[@]}" "${trust[@]}" --out late <way 2>late.err &
folder=$!
exec 3>way
head -c -1 p.tgsp >&3
sleep 0.2
ok 'the same for a folder: not there yet' test ! -e late
printf x >&3 # another last byte than it should be
exec 3>&-
wait $folder
is 'which is refused in the end' $? 65
ok 'and never came to be' test ! -e late

# ---- how much ----

# A package of exactly 1 MiB: its head and tail take as much for files of the same number of digits.
mkdir exact
head -c 990000 /dev/zero >exact/zeros
build() { tensorguard build --input-dir exact --out exact.tgsp --signing-key keys/signing.priv --created-at 1; }
ok 'a package of nearly 1 MiB' build
truncate -s $((990000 + 1048576 - $(stat -c %s exact.tgsp))) exact/zeros
ok 'and one of exactly 1 MiB' build
is 'which it has' "$(stat -c %s exact.tgsp)" 1048576
ok 'just within --pipe-limit 1' piped exact.tgsp tensorguard verify - "${trust[@]}" --pipe-limit 1
truncate -s +1 exact/zeros
ok 'one byte more' build
exits 65 'is beyond it' piped exact.tgsp tensorguard verify - "${trust[@]}" --pipe-limit 1
has 'it says what helps' err --pipe-limit
exits 65 'for open too' piped exact.tgsp tensorguard open - "${key[@]}" "${trust[@]}" --pipe-limit 1 --tar
is 'of which nothing comes out' "$(wc -c <"$out")" 0
exits 65 'and run' piped exact.tgsp tensorguard run - "${key[@]}" "${trust[@]}" --input x=x.npy --pipe-limit 1
ok '--pipe-limit 2 is enough' piped exact.tgsp tensorguard verify - "${trust[@]}" --pipe-limit 2
ok 'so is the default' piped exact.tgsp tensorguard verify - "${trust[@]}"
ok 'a file needs none' tensorguard verify exact.tgsp "${trust[@]}" --pipe-limit 1
exits 65 'a pipe without an end is left' bash -c \
	'timeout 20 tensorguard verify - --trust keys/signing.pub --pipe-limit 3 </dev/zero'
if ! grep -q '__[at]san_init' "$build/tensorguard"; then # a sanitizer takes address space by the terabyte
	for limit in 1 64 100; do # as much as that and the program itself, never a second copy
		exits 65 "no more memory than --pipe-limit $limit" bash -c 'ulimit -v "$1" && timeout 20 tensorguard \
			verify - --trust keys/signing.pub --pipe-limit "$2" </dev/zero' - $(((limit + 40) * 1024)) $limit
	done
fi
exits 64 'a limit that is none' piped p.tgsp tensorguard verify - "${trust[@]}" --pipe-limit much
exits 64 'a limit of more than there is' piped p.tgsp tensorguard verify - "${trust[@]}" --pipe-limit 1048577
exits 74 'no standard input at all' bash -c 'tensorguard verify - --trust keys/signing.pub <&-'
exits 74 'a folder as standard input' bash -c 'tensorguard verify - --trust keys/signing.pub <model'

# ---- where it goes ----

exits 74 'a full disk behind standard output' bash -c \
	'tensorguard open - --key keys/encryption.priv --trust keys/signing.pub --tar <p.tgsp >/dev/full'
# the reader goes away in the middle: an error, not a sudden death
ok 'a closed pipe behind it' bash -c '
	tensorguard open - --key keys/encryption.priv --trust keys/signing.pub --tar <p.tgsp 2>closed.err | head -c 1 >/dev/null
	[ "${PIPESTATUS[0]}" -eq 74 ]'
is 'which is said' "$(wc -l <closed.err)" 1
done_testing

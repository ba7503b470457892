#!/bin/bash
# open: files out of a package, whole or not at all, in every way there is.
# shellcheck disable=SC2154,SC2317 # $out and $err come from lib.sh; functions are called through ok
. "$(dirname "$0")/../lib.sh"

tensorguard keygen --type both --out k --no-passphrase >/dev/null || exit 1
tensorguard keygen --type both --out second --no-passphrase >/dev/null || exit 1
tensorguard keygen --type both --out other --no-passphrase >/dev/null || exit 1
deep=$(printf 'folder-%03d/' {1..40})
long=$(printf 'n%.0s' {1..255})
mkdir -p model/a/b model/c "model/$deep"
head -c 300000 /dev/urandom >model/weights.bin
echo text >model/a/b/README.txt
: >model/empty
echo x >"model/c/$long"
echo y >"model/${deep}file"
echo z >"model/$(printf '\303\251')"
tensorguard build --input-dir model --out p.tgsp --signing-key k/signing.priv --model-name perception \
	--recipient k/encryption.pub --recipient second/encryption.pub --rollback-index 5 >/dev/null || exit 1
key=(--key k/encryption.priv) trust=(--trust k/signing.pub)
open() { tensorguard open p.tgsp "${trust[@]}" "$@"; }

# ---- --out ----

ok 'into a new folder' open "${key[@]}" --out o
ok 'all files' diff -r model o
is 'modes of files' "$(find o -type f -printf '%m\n' | sort -u)" 644
is 'modes of folders' "$(find o -type d -printf '%m\n' | sort -u)" 755
is 'times of files' "$(find o -type f -printf '%T@\n' | sort -u)" 1577836800.0000000000
is 'silently' "$(cat "$out" "$err")" ''
ok 'by the second recipient' open --key second/encryption.priv --out o2
ok 'the same files' diff -r model o2
ok 'on one thread' open "${key[@]}" --out o3 --threads 1
ok 'the same again' diff -r model o3
exits 4 'by nobody else' open --key other/encryption.priv --out no
has 'it says how many it is for' err 'none of its 2 recipients'
exits 5 'where files are already' open "${key[@]}" --out o
has 'it says which' err 'exists already'
ok 'which are as they were' diff -r model o
mkdir there && echo mine >there/mine.txt
ok 'beside other files' open "${key[@]}" --out there
is 'which stay' "$(cat there/mine.txt)" mine
rm -rf no2 && mkdir no2 && echo mine >no2/weights.bin
exits 5 'one file in the way' open "${key[@]}" --out no2
is 'leaves it, and makes no other' "$(find no2 -mindepth 1)$(cat no2/weights.bin)" no2/weights.binmine
ok 'forced' open "${key[@]}" --out no2 --force
ok 'replaces it' diff -r model no2
mkdir no3 && ln -s ../victim no3/weights.bin && echo old >victim
exits 5 'a link in the way' open "${key[@]}" --out no3
ok 'forced over a link' open "${key[@]}" --out no3 --force
is 'replaces the link, not what it leads to' "$(cat victim)" old
ok 'with a file' test ! -L no3/weights.bin
mkdir no4 && ln -s ../victim-dir no4/a && mkdir victim-dir
exits 74 'a folder that is a link' open "${key[@]}" --out no4 --force
is 'is not gone through' "$(ls -A victim-dir)" ''
is 'and nothing else is left' "$(find no4 -mindepth 1)" no4/a
mkdir no5 && echo mine >no5/a
exits 74 'a file where a folder should be' open "${key[@]}" --out no5
is 'stays, and nothing else' "$(find no5 -mindepth 1)$(cat no5/a)" no5/amine
: >file
exits 74 'into a file' open "${key[@]}" --out file
exits 66 'into a folder of no folder' open "${key[@]}" --out absent/o
ok 'the folder itself may be a link' sh -c 'mkdir real && ln -s real way'
ok 'to a real one' open "${key[@]}" --out way
ok 'with all files' diff -r model real
is 'no temporary file of all these' "$(find . -name '.tg-*')" ''

# ---- --tar ----

tar_open() { open "${key[@]}" --tar; }
ok 'as a tar stream' tar_open
cp "$out" a.tar
mkdir t && tar xf a.tar -C t
ok 'which tar extracts' diff -r model t
is 'owners, modes and times' "$(tar tvf a.tar --numeric-owner --utc --full-time | awk '{ print $1, $2, $4, $5 }' | sort -u)" \
	'-rw-r--r-- 0/0 2020-01-01 00:00:00'
ok 'again' tar_open
same 'the same bytes' "$out" a.tar
is 'names in bytewise order' "$(tar tf a.tar | head -3 | tr '\n' ' ')" "a/b/README.txt c/$long empty "
is 'a whole number of blocks' $(($(stat -c %s a.tar) % 512)) 0

# ---- --file ----

ok 'one file to standard output' open "${key[@]}" --file weights.bin -
same 'is that file' "$out" model/weights.bin
ok 'one file to a path' open "${key[@]}" --file a/b/README.txt r.txt
same 'is that file' r.txt model/a/b/README.txt
is 'mode' "$(stat -c %a r.txt)" 644
exits 5 'never over another' open "${key[@]}" --file weights.bin r.txt
same 'it stays' r.txt model/a/b/README.txt
ok 'forced' open "${key[@]}" --file weights.bin r.txt --force
same 'it is replaced' r.txt model/weights.bin
ok 'an empty file' open "${key[@]}" --file empty e
is 'is empty' "$(stat -c %s e)" 0
exits 66 'no such file' open "${key[@]}" --file weights -
exits 66 'no way out of the package' open "${key[@]}" --file ../p.tgsp -
exits 64 'no place to put it' open "${key[@]}" --file weights.bin
exits 64 'two ways at once' open "${key[@]}" --tar --out x
exits 64 'two other ways' open "${key[@]}" --tar --file empty -
exits 66 'a path in no folder' open "${key[@]}" --file empty absent/e

if type script >/dev/null 2>&1; then
	script -qec "tensorguard open p.tgsp --key k/encryption.priv --trust k/signing.pub --tar" /dev/null \
		>screen 2>&1 </dev/null
	has 'a model is not written to a terminal' screen 'standard output to a file'
else
	skip 'no script(1) to make a terminal with'
fi

# ---- damage: nothing partial stays ----

size=$(stat -c %s p.tgsp)
ct=$(tensorguard inspect p.tgsp | awk '$1 == "ciphertext" { print $2 }')
cp p.tgsp d.tgsp
damaged() { tensorguard open d.tgsp "${key[@]}" "${trust[@]}" "$@"; }
cp /dev/null before
for at in $((ct + 1)) $((size - 20000)) $((size - 9500)); do
	cp p.tgsp d.tgsp
	byte=$(od -An -tu1 -j "$at" -N 1 d.tgsp)
	# shellcheck disable=SC2059
	printf "\\x$(printf %02x $((byte ^ 1)))" | dd of=d.tgsp bs=1 seek="$at" conv=notrunc status=none
	exits 3 "byte $at: --out" damaged --out bad
	is 'leaves no folder' "$([ -e bad ] && find bad)" ''
	mkdir bad
	exits 3 "byte $at: --out into an empty folder" damaged --out bad
	is 'which stays empty' "$(find bad)" bad
	echo mine >bad/weights.bin
	exits 3 "byte $at: --out --force over a file" damaged --out bad --force
	is 'which stays' "$(find bad -type f) $(cat bad/weights.bin)" 'bad/weights.bin mine'
	rm -rf bad
	exits 3 "byte $at: --tar" damaged --tar
	cp "$out" s.tar
	ok 'the stream is no whole archive' bash -c '! tail -c 1024 s.tar | cmp -s - <(head -c 1024 /dev/zero)'
	exits 3 "byte $at: --file" damaged --file weights.bin w
	is 'leaves no file' "$([ -e w ] && echo there)" ''
done
is 'nor a temporary one' "$(find . -name '.tg-*')" ''

# ---- rollback floors ----

mkdir state
version() { # INDEX
	tensorguard build --input-dir model/a --out "v$1.tgsp" --signing-key k/signing.priv \
		--model-name perception --recipient k/encryption.pub --rollback-index "$1" >/dev/null
}
version 4 && version 6
with_state() { # PACKAGE OUT
	tensorguard open "$1" "${key[@]}" "${trust[@]}" --out "$2" --state state
}
ok 'the first version' with_state p.tgsp s5
has 'sets the floor' state/rollback.json '"index":5'
exits 4 'an older one' with_state v4.tgsp s4
has 'is refused for it' err 'rollback_index 4 is below 5'
is 'and leaves nothing' "$([ -e s4 ] && echo there)" ''
ok 'the same again' with_state p.tgsp s5b
ok 'a newer one' with_state v6.tgsp s6
has 'raises the floor' state/rollback.json '"index":6'
exits 4 'then the first is too old' with_state p.tgsp s5c
cp v6.tgsp d.tgsp
printf X | dd of=d.tgsp bs=1 seek="$(tensorguard inspect v6.tgsp | awk '$1 == "ciphertext" { print $2 }')" \
	conv=notrunc status=none
rm -rf state && mkdir state
exits 3 'a damaged package' with_state d.tgsp sd
is 'sets no floor' "$(ls -A state)" ''
exits 66 'a state folder that is not there' tensorguard open v6.tgsp "${key[@]}" "${trust[@]}" --out sx \
	--state absent
is 'is found before anything is written' "$([ -e sx ] && echo there)" ''
ok 'one file of a package' tensorguard open v6.tgsp "${key[@]}" "${trust[@]}" --state state --file b/README.txt -
has 'sets the floor too, the whole being sound' state/rollback.json '"index":6'
tensorguard build --input-dir model/a --out w6.tgsp --signing-key other/signing.priv \
	--model-name perception --recipient k/encryption.pub --rollback-index 1 >/dev/null
ok 'another author has another floor' tensorguard open w6.tgsp "${key[@]}" --trust other/signing.pub \
	--state state --out so
is 'both are kept' "$(grep -o '"index":[0-9]*' state/rollback.json | sort | tr '\n' ' ')" '"index":1 "index":6 '

# ---- time and fleet ----

tensorguard build --input-dir model/a --out w.tgsp --signing-key k/signing.priv --not-before 1600000000 \
	--not-after 1600000010 --target-fleet edge --recipient k/encryption.pub >/dev/null
w() { tensorguard open w.tgsp "${key[@]}" "${trust[@]}" --out "$@"; }
exits 4 'expired' w w1 --fleet edge
exits 4 'too early' w w1 --fleet edge --at 1599999999
exits 4 'no fleet' w w1 --at 1600000000
exits 4 'another fleet' w w1 --at 1600000000 --fleet edge2
is 'nothing came of these' "$([ -e w1 ] && echo there)" ''
ok 'in time and in the fleet' w w1 --fleet edge --at 1600000010

# ---- an ordinary user can do all this ----

if [ "$(id -u)" -eq 0 ] && type setpriv >/dev/null 2>&1; then
	chmod 755 "$scratch" && mkdir -m 777 theirs
	cp "$build/tensorguard" . && chmod 644 k/encryption.priv
	as() { setpriv --reuid=65534 --regid=65534 --clear-groups ./tensorguard "$@"; }
	ok 'an ordinary user makes keys' as keygen --type both --out theirs/k --no-passphrase
	ok 'builds' as build --input-dir model/a --out theirs/p.tgsp --signing-key theirs/k/signing.priv
	ok 'opens' as open theirs/p.tgsp --key theirs/k/encryption.priv --trust theirs/k/signing.pub --out theirs/o
	ok 'the same files' diff -r model/a theirs/o
	exits 74 'but not into a folder of others' as open theirs/p.tgsp --key theirs/k/encryption.priv \
		--trust theirs/k/signing.pub --out o
else
	skip 'no other user to be'
fi
done_testing

#!/bin/bash
# build and open, killed at any moment: what has a name is complete, and nothing else is there.
# (tests/security/rekey_crash.sh does the same to rekey.)
# shellcheck disable=SC2154,SC2317 # $out and $err come from lib.sh; functions are called through ok
. "$(dirname "$0")/../lib.sh"

tensorguard keygen --type both --out k --no-passphrase >/dev/null || exit 1
mkdir -p model/sub
head -c 16000000 /dev/urandom >model/a.bin
head -c 3000000 /dev/urandom >model/sub/b.bin
echo text >model/sub/c.txt
build=(tensorguard build --input-dir model --out d/p.tgsp --signing-key k/signing.priv --recipient k/encryption.pub)
open=(tensorguard open whole.tgsp --key k/encryption.priv --trust k/signing.pub --out d/o)
mkdir d
"${build[@]}" >/dev/null && mv d/p.tgsp whole.tgsp || exit 1

ms() { # COMMAND...: how long it takes
	local from=$EPOCHREALTIME
	"$@" >/dev/null 2>&1
	echo $(((${EPOCHREALTIME/./} - ${from/./}) / 1000))
}
killed_after() { # MS COMMAND...: sets $killed
	local ms=$1 pid
	shift
	"$@" >/dev/null 2>&1 &
	pid=$!
	sleep "$(printf '%d.%03d' $((ms / 1000)) $((ms % 1000)))"
	kill -9 "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	[ $? -ne 137 ] || killed=$((killed + 1))
}
RANDOM=17

# ---- build: no package, or a good one; an old one until then ----

took=$(ms "${build[@]}")
note "a build takes $took ms"
bad=0 killed=0
rm d/p.tgsp
for i in {1..25}; do
	killed_after $((RANDOM % (took + took / 4 + 2))) "${build[@]}"
	for f in d/* d/.[!.]*; do
		[ -e "$f" ] || continue
		[ "$f" = d/p.tgsp ] && tensorguard verify d/p.tgsp --trust k/signing.pub >/dev/null 2>&1 && continue
		bad=$((bad + 1))
		note "after kill $i: $(ls -lA d | tr '\n' ' ')"
	done
	rm -rf d/p.tgsp d/.tg-*
done
is "partial packages of $killed killed builds" "$bad" 0
ok 'builds were killed' test "$killed" -ge 5
cp whole.tgsp d/p.tgsp
bad=0 killed=0
for i in {1..10}; do
	killed_after $((RANDOM % (took + took / 4 + 2))) "${build[@]}"
	tensorguard verify d/p.tgsp --trust k/signing.pub >/dev/null 2>&1 || bad=$((bad + 1))
	# between two system calls the complete new file has a hidden name beside the old one
	[ "$(find d -name '.tg-*' -size -19000k | wc -l)" -eq 0 ] || bad=$((bad + 1))
	rm -f d/.tg-*
done
is "old or new, but whole, over $killed killed builds" "$bad" 0
rm d/p.tgsp

# ---- open: files that are complete, or not there ----

took=$(ms "${open[@]}")
note "opening takes $took ms"
rm -rf d/o
bad=0 killed=0 some=0
for i in {1..25}; do
	killed_after $((RANDOM % (took + took / 4 + 2))) "${open[@]}"
	n=0
	while read -r f; do
		n=$((n + 1))
		cmp -s "d/o/$f" "model/$f" && continue
		bad=$((bad + 1))
		note "after kill $i: $f, $(stat -c %s "d/o/$f") bytes"
	done < <([ ! -d d/o ] || find d/o -type f -printf '%P\n')
	[ "$n" -eq 0 ] || [ "$n" -eq 3 ] || some=$((some + 1))
	rm -rf d/o
done
is "partial files of $killed killed openings" "$bad" 0
ok 'openings were killed' test "$killed" -ge 5
note "$some of them left some of the files"

# ---- keygen: a pair, or nothing that looks like one ----

bad=0 killed=0
for i in {1..15}; do
	killed_after $((RANDOM % 12)) tensorguard keygen --type both --out d/keys --no-passphrase
	for f in d/keys/*.pub; do
		[ -e "$f" ] || continue
		# a public key is written behind its private half: nobody seals to what nobody can open
		[ -s "${f%.pub}.priv" ] || bad=$((bad + 1))
	done
	rm -rf d/keys
done
is "public keys without their private half, after $killed kills" "$bad" 0
done_testing

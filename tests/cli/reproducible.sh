#!/bin/bash
# build --reproducible: the same input gives the same package, wherever, whenever and on however many
# threads; one byte of difference changes every key in it.
# shellcheck disable=SC2317 # functions are called through ok and exits
. "$(dirname "$0")/../lib.sh"

ok 'keys' tensorguard keygen --type both --no-passphrase --out keys
ok 'a second recipient' tensorguard keygen --type encryption --no-passphrase --out second
ok 'a reproducible secret' tensorguard keygen --type repro --out keys
is '32 bytes, for nobody else' "$(stat -c '%s %a' keys/repro.key)" '32 600'
has 'keygen says what it is worth' err 'decrypts every package built with it'
exits 5 'it is never overwritten' tensorguard keygen --type repro --out keys
ok 'another secret' tensorguard keygen --type repro --out other

unset SOURCE_DATE_EPOCH
build() { # OUT FOLDER OPTION...
	tensorguard build --out "$1" --input-dir "$2" --signing-key keys/signing.priv --model-name m \
		--recipient keys/encryption.pub --recipient second/encryption.pub "${@:3}"
}
repro() { build "$@" --reproducible keys/repro.key; }

# The same files, made in another order, at other times, with other modes.
mkdir -p one/sub 'elsewhere/t w o/sub'
two='elsewhere/t w o'
head -c 300000 /dev/urandom >one/weights.bin
head -c 10 /dev/urandom >one/a
: >one/sub/empty
echo x >one/sub/x
for f in sub/x sub/empty a weights.bin; do cp "one/$f" "$two/$f"; done
touch -d '2001-02-03 04:05:06 UTC' "$two"/sub/* "$two"/*
chmod 600 "$two/a"

# ---- byte for byte ----

ok 'a build' repro p.tgsp one
sleep 1.1 # another second
ok 'the same in another folder, later, on one thread' repro q.tgsp "$two" --threads 1
same 'gives the same package' p.tgsp q.tgsp
for threads in 2 3 7; do
	ok "on $threads threads" repro q.tgsp "$two" --threads $threads
	same 'too' p.tgsp q.tgsp
done
ok 'with the recipients in another order' tensorguard build --out q.tgsp --input-dir one --model-name m \
	--signing-key keys/signing.priv --recipient second/encryption.pub --recipient keys/encryption.pub \
	--recipient second/encryption.pub --reproducible keys/repro.key
same 'too' p.tgsp q.tgsp
(
	mkdir -p away && cd away && TZ=Asia/Tokyo LC_ALL=C.UTF-8 HOME=/nowhere tensorguard build \
		--out q.tgsp --input-dir "$here/one" --model-name m --signing-key ../keys/signing.priv \
		--recipient ../keys/encryption.pub --recipient ../second/encryption.pub \
		--reproducible ../keys/repro.key >/dev/null
)
same 'from another folder, in another zone' p.tgsp away/q.tgsp
ok 'it verifies' tensorguard verify p.tgsp --trust keys/signing.pub
ok 'and opens' tensorguard open p.tgsp --key second/encryption.priv --trust keys/signing.pub --out opened
ok 'to the same files' diff -r one opened
facts() { tensorguard inspect "$1" | awk -v n="$2" '$1 == n { print $2; exit }'; } # PACKAGE NAME
is 'created_at is fixed' "$(facts p.tgsp created_at)" 1577836800
is 'package_id comes from the contents' "$(facts p.tgsp package_id)" "$(facts p.tgsp content_hash | cut -c 1-32)"

# ---- random builds ----

ok 'a random build' build r.tgsp one
ok 'and another' build s.tgsp "$two"
is 'the same files, the same content_hash' "$(facts r.tgsp content_hash) $(facts s.tgsp content_hash)" \
	"$(facts p.tgsp content_hash) $(facts p.tgsp content_hash)"
is 'but three packages' "$(for p in p r s; do facts $p.tgsp package_hash; done | sort -u | wc -l)" 3

# ---- nothing in common ----

section() { # PACKAGE NAME: its bytes
	tensorguard inspect "$1" | awk -v n="$2" '$1 == n && $2 ~ /^[0-9]+$/ { print $2 + 1, $3; exit }' | {
		read -r from size
		tail -c "+$from" "$1" | head -c "$size"
	}
}
keys_of() { # PACKAGE: salt, commitment, and the parts of every block, one a line
	section "$1" header | grep -oE '"(salt|commit)":"[^"]*"'
	section "$1" recipients | grep -oE '"(ct_pqc|ek_classic|wrapper)":"[^"]*"'
}
differ() { # NAME PACKAGE PACKAGE: no key in common, nor any stretch of ciphertext
	local a b n
	is "$1: eight values to compare" "$(keys_of "$2" | sort -u | wc -l) $(keys_of "$3" | sort -u | wc -l)" '8 8'
	is "$1: none of them in common" "$(comm -12 <(keys_of "$2" | sort) <(keys_of "$3" | sort))" ''
	section "$2" ciphertext >a.ct
	section "$3" ciphertext >b.ct
	a=$(stat -c %s a.ct) b=$(stat -c %s b.ct)
	n=$(cmp -l a.ct b.ct 2>/dev/null | wc -l) # of random bytes 255 of 256 differ
	if [ "$n" -gt $(((a < b ? a : b) * 98 / 100)) ]; then
		pass "$1: another ciphertext"
	else
		fail "$1: another ciphertext" "$n of $a bytes differ"
	fi
}
cp -r one changed
byte=$(od -An -tu1 -j 299999 -N 1 one/weights.bin)
# shellcheck disable=SC2059
printf "\\x$(printf %02x $((byte ^ 1)))" | dd of=changed/weights.bin bs=1 seek=299999 conv=notrunc status=none
is 'one bit, the very last one' "$(cmp -l one/weights.bin changed/weights.bin | wc -l)" 1
ok 'one changed byte' repro c.tgsp changed
differ 'one changed byte' p.tgsp c.tgsp
is 'one changed byte: another content_hash' \
	"$([ "$(facts p.tgsp content_hash)" != "$(facts c.tgsp content_hash)" ] && echo differs)" differs
ok 'another secret' build o.tgsp one --reproducible other/repro.key
differ 'another secret' p.tgsp o.tgsp
mv one/a one/b
ok 'another path' repro n.tgsp one
mv one/b one/a
differ 'another path' p.tgsp n.tgsp
ok 'another version' repro v.tgsp one --model-version 2
differ 'another version' p.tgsp v.tgsp
ok 'another rollback index' repro v.tgsp one --rollback-index 1
differ 'another rollback index' p.tgsp v.tgsp
ok 'a third recipient' tensorguard keygen --type encryption --no-passphrase --out third
ok 'one recipient more' repro t.tgsp one --recipient third/encryption.pub
keys_of t.tgsp | sort >t.keys
is 'one recipient more: no key of before' "$(comm -12 <(keys_of p.tgsp | sort) t.keys)" ''
is 'one recipient more: three values more' "$(wc -l <t.keys)" 11
ok 'another recipient, as many as before' tensorguard build --out t.tgsp --input-dir one --model-name m \
	--signing-key keys/signing.priv --recipient keys/encryption.pub --recipient third/encryption.pub \
	--reproducible keys/repro.key
differ 'another recipient' p.tgsp t.tgsp
ok 'a random build' build r.tgsp one
differ 'a random build' p.tgsp r.tgsp

# ---- as docs/PROTOCOL.tgsp.md has it (section 5): the salt, computed anew ----

unhex() { # HEX...
	# shellcheck disable=SC2059
	printf "$(printf %s "$@" | fold -w 2 | sed 's/^/\\x/' | tr -d '\n')"
}
hash() { sha256sum | cut -d ' ' -f 1; }
hmac() { # KEY-FILE of 32 bytes: HMAC-SHA256 of standard input, in hex
	local inner=() outer=() b
	for b in $(od -An -v -tu1 "$1"); do
		inner+=("$(printf %02x $((b ^ 0x36)))") outer+=("$(printf %02x $((b ^ 0x5c)))")
	done
	for ((b = 32; b < 64; b++)); do inner+=(36) outer+=(5c); done
	b=$({ unhex "${inner[@]}" && cat; } | hash)
	{ unhex "${outer[@]}" && unhex "$b"; } | hash
}
section p.tgsp manifest >signed
x=$({
	printf 'TGSP-v1 repro\0'
	unhex "$(printf %08x "$(stat -c %s signed)")"
	cat signed
	unhex "$(printf %016x "$(section p.tgsp header | sed 's/.*"plain_len":\([0-9]*\).*/\1/')")" 10
	unhex "$(printf %08x 4)"
	for f in a sub/empty sub/x weights.bin; do unhex "$(hash <one/$f)"; done
	unhex "$(printf %08x 2)"
	tensorguard inspect p.tgsp | awk '$1 == "recipient" { print $2 }' | sort | while read -r id; do unhex "$id"; done
} | hash)
salt=$({ printf 'salt\0' && unhex "$x"; } | hmac keys/repro.key)
is 'the salt is HMAC(K, "salt\0" || X)' "$(unhex "$salt" | base64 | tr -d =)" \
	"$(section p.tgsp header | sed 's/.*"salt":"\([^"]*\)".*/\1/')"

# ---- time ----

export SOURCE_DATE_EPOCH=1000000000
ok 'SOURCE_DATE_EPOCH' repro e.tgsp one
is 'is honoured' "$(facts e.tgsp created_at)" 1000000000
differ 'another time' p.tgsp e.tgsp
ok 'in random builds too' build r.tgsp one
is 'is honoured there' "$(facts r.tgsp created_at)" 1000000000
ok '--created-at comes first' repro e2.tgsp one --created-at 2020-01-01T00:00:00Z
is 'and is taken' "$(facts e2.tgsp created_at)" 1577836800
same 'so that it is the first package again' p.tgsp e2.tgsp
for bad in yesterday -1 1.5 '' 99999999999999999999; do
	export SOURCE_DATE_EPOCH=$bad
	exits 64 "SOURCE_DATE_EPOCH '$bad'" repro x.tgsp one
	has 'is named' err SOURCE_DATE_EPOCH
done
unset SOURCE_DATE_EPOCH
now=$(date +%s)
ok 'without it a random build' build r.tgsp one
is 'is of today' "$(($(facts r.tgsp created_at) - now <= 5 && $(facts r.tgsp created_at) >= now))" 1

# ---- the secret itself ----

for n in 0 1 31 33 64; do
	head -c $n /dev/zero >bad.key
	chmod 600 bad.key
	exits 65 "a secret of $n bytes" build x.tgsp one --reproducible bad.key
	has 'is refused by its size' err bad.key
done
cp keys/repro.key open.key
for mode in 644 640 604 602 610; do
	chmod $mode open.key
	exits 4 "a secret of mode $mode" build x.tgsp one --reproducible open.key
	has 'is refused: others can read it' err 'others can read it'
done
for mode in 600 400; do
	chmod $mode open.key
	ok "a secret of mode $mode" build q.tgsp one --reproducible open.key
	same 'is taken' p.tgsp q.tgsp
done
exits 66 'a secret that is not there' build x.tgsp one --reproducible absent.key
exits 64 'a folder' build x.tgsp one --reproducible keys
ln -s keys/repro.key link.key
ok 'through a link' build q.tgsp one --reproducible link.key
same 'the same' p.tgsp q.tgsp
ok 'no package came of what failed' test ! -e x.tgsp
is 'no temporary names' "$(find . -name '.*' ! -name .)" ''
exits 64 'no passphrase protects it' tensorguard keygen --type repro --out third --passphrase-file one/sub/x
done_testing

#!/bin/bash
# rekey: other recipients for a package, in place or beside it. What fails leaves everything as it
# was; what removes says that it does not revoke.
# shellcheck disable=SC2317 # functions are called through ok and exits
. "$(dirname "$0")/../lib.sh"

for who in author other one two three; do
	ok "keys of $who" tensorguard keygen --type both --no-passphrase --out "$who"
done
mkdir model
head -c 150000 /dev/urandom >model/weights.bin
echo 'a model' >model/README
ok 'a package for one and two' tensorguard build --input-dir model --out base.tgsp \
	--signing-key author/signing.priv --model-name m --recipient one/encryption.pub \
	--recipient two/encryption.pub

id() { sed 's/.*"key_id":"\([0-9a-f]*\)".*/\1/' "$1"; } # KEY-FILE
one=$(id one/encryption.pub) two=$(id two/encryption.pub) three=$(id three/encryption.pub)
recipients() { tensorguard inspect "$1" | awk '$1 == "recipient" { print $2 }' | sort | xargs; }
those() { printf '%s\n' "$@" | sort | xargs; }
rekey() { # PACKAGE OPTION...: by one, in the author's name
	local package=$1
	shift
	tensorguard rekey "$package" --key one/encryption.priv --signing-key author/signing.priv \
		--trust author/signing.pub "$@"
}
opens() { # PACKAGE WHO
	rm -rf out
	tensorguard open "$1" --key "$2/encryption.priv" --trust author/signing.pub --out out && diff -r model out
}
section() { # PACKAGE NAME: its bytes
	tensorguard inspect "$1" | awk -v n="$2" '$1 == n && $2 ~ /^[0-9]+$/ { print $2 + 1, $3; exit }' | {
		read -r from size
		tail -c "+$from" "$1" | head -c "$size"
	}
}
facts() { tensorguard verify "$1" --trust author/signing.pub | tail -n +2; }

# ---- beside it ----

cp -p base.tgsp p.tgsp
ok 'adding, with --out' rekey p.tgsp --add three/encryption.pub --out q.tgsp
has 'it counts' out 'q.tgsp: 3 recipients, 1 added, 0 removed'
lacks 'adding says nothing of revoking' err revocation
same 'the input is unchanged' base.tgsp p.tgsp
is 'recipients before' "$(recipients p.tgsp)" "$(those "$one" "$two")"
is 'recipients after' "$(recipients q.tgsp)" "$(those "$one" "$two" "$three")"
is 'mode of the new file' "$(stat -c %a q.tgsp)" 644
for who in one two three; do ok "$who opens it" opens q.tgsp $who; done
exits 4 'three does not open the old one' opens p.tgsp three
is 'model, hashes and contents stay' "$(facts q.tgsp)" "$(facts p.tgsp)"
for part in header manifest index ciphertext; do
	is "the $part stays" "$(section q.tgsp "$part" | sha256sum)" "$(section p.tgsp "$part" | sha256sum)"
done
is 'the ciphertext is where it should be' \
	"$(tensorguard inspect q.tgsp | awk '$1 == "ciphertext" { print $2 % 4096 }')" 0
ok 'an existing --out is replaced' rekey p.tgsp --remove "$two" --out q.tgsp
is 'by the new one' "$(recipients q.tgsp)" "$one"

# ---- in place ----

cp base.tgsp p.tgsp
chmod 600 p.tgsp
ln p.tgsp before.tgsp # who has the old one open keeps it
ok 'in place' rekey p.tgsp --add three/encryption.pub --add three/encryption.pub
has 'a key given twice is one' out 'p.tgsp: 3 recipients, 1 added, 0 removed'
is 'three recipients' "$(recipients p.tgsp)" "$(those "$one" "$two" "$three")"
same 'the old file itself is not written to' base.tgsp before.tgsp
is 'it stays as private as it was' "$(stat -c %a p.tgsp)" 600
ok 'three opens it' opens p.tgsp three
cp p.tgsp with-three.tgsp
ok '--out may name the package itself' rekey p.tgsp --add three/encryption.pub --out p.tgsp
is 'which stays as private' "$(stat -c %a p.tgsp)" 600
cp q.tgsp private.tgsp
chmod 640 private.tgsp
ok '--out may name another file' rekey p.tgsp --add three/encryption.pub --out private.tgsp
is 'which stays as private as well' "$(stat -c %a private.tgsp)" 640

ok 'adding who is there' rekey p.tgsp --add two/encryption.pub
has 'adds nobody' out '3 recipients, 0 added, 0 removed'
is 'and keeps the blocks' "$(section p.tgsp recipients | sha256sum)" \
	"$(section with-three.tgsp recipients | sha256sum)"

# ---- removing ----

ok 'removing by id' rekey p.tgsp --remove "$three"
has 'it counts' out 'p.tgsp: 2 recipients, 0 added, 1 removed'
has 'it says that this does not revoke' err 'removal is not revocation'
has 'and what would' err '--rollback-index'
lacks 'on standard error only' out revocation
is 'two recipients' "$(recipients p.tgsp)" "$(those "$one" "$two")"
exits 4 'three does not open it any more' opens p.tgsp three
has 'because it is none of its recipients' err 'not for this key'
ok 'one still does' opens p.tgsp one
ok 'an earlier copy still opens for three, as the note says' opens with-three.tgsp three
ok 'removing by .pub, and adding' rekey p.tgsp --remove two/encryption.pub --add three/encryption.pub
has 'both are counted' out '2 recipients, 1 added, 1 removed'
has 'the note again' err 'removal is not revocation'
is 'two recipients again' "$(recipients p.tgsp)" "$(those "$one" "$three")"

cp base.tgsp p.tgsp
ok 'leaving oneself out' rekey p.tgsp --remove "$one"
is 'the other one stays' "$(recipients p.tgsp)" "$two"
exits 4 'there is no way back alone' rekey p.tgsp --add one/encryption.pub

# ---- reports ----

cp base.tgsp p.tgsp
ok 'a report as JSON' rekey p.tgsp --add three/encryption.pub --remove "$two" --json
is 'one line' "$(wc -l <"$out")" 1
for field in '"added":1' '"removed":1' '"recipients":2'; do has "with $field" out "$field"; done
plain=$(tensorguard inspect base.tgsp | awk '$1 == "ciphertext" { print $3 }')
is 'shared and copied bytes are all of it' "$plain" "$(sed 's/.*"copied_bytes":\([0-9]*\).*"shared_bytes":\([0-9]*\).*/\1 \2/' "$out" | {
	read -r a b
	echo $((a + b))
})"
has 'the note is beside it' err 'removal is not revocation'

# ---- what fails ----

cp base.tgsp p.tgsp
chmod 640 p.tgsp
cp p.tgsp cut.tgsp
truncate -s -1 cut.tgsp
sed 's/"model_name":"m"/"model_name":"n"/' p.tgsp >bent.tgsp
echo x >not-a-key
ok 'a package that has expired' tensorguard build --input-dir model --out old.tgsp \
	--signing-key author/signing.priv --recipient one/encryption.pub --not-after 2001-01-01T00:00:00Z
ok 'a package for a fleet' tensorguard build --input-dir model --out fleet.tgsp \
	--signing-key author/signing.priv --recipient one/encryption.pub --target-fleet robots
mkdir a-folder state
before=$(find . -type f ! -name '*.priv' -exec sha256sum {} + -o -exec stat -c '%n %a' {} + | sort)

fails() { # CODE NAME TEXT COMMAND...
	exits "$1" "$2" "${@:4}"
	has "$2: says why" err "$3"
	is "$2: in one line on standard error" "$(wc -l <"$err") $(wc -c <"$out")" '1 0'
}
by=(--key one/encryption.priv --signing-key author/signing.priv)
trust=(--trust author/signing.pub)
add=(--add three/encryption.pub)
fails 64 'no package' 'package file' tensorguard rekey "${by[@]}" "${trust[@]}" "${add[@]}"
fails 64 'a package from a pipe' 'package file' tensorguard rekey - "${by[@]}" "${trust[@]}" "${add[@]}"
fails 64 'two packages' 'one word too many' rekey p.tgsp q.tgsp "${add[@]}"
fails 64 'nothing to do' '--add or --remove' rekey p.tgsp
fails 64 'no signing key' '--signing-key' tensorguard rekey p.tgsp --key one/encryption.priv "${trust[@]}" "${add[@]}"
fails 64 'no key' '--key' tensorguard rekey p.tgsp --signing-key author/signing.priv "${trust[@]}" "${add[@]}"
fails 64 'no trust' '--trust' tensorguard rekey p.tgsp "${by[@]}" "${add[@]}"
fails 64 'a public key to open with' 'public key' tensorguard rekey p.tgsp --key one/encryption.pub \
	--signing-key author/signing.priv "${trust[@]}" "${add[@]}"
fails 64 'a public key to sign with' 'public key' tensorguard rekey p.tgsp --key one/encryption.priv \
	--signing-key author/signing.pub "${trust[@]}" "${add[@]}"
fails 64 'keys the wrong way round' 'signing' tensorguard rekey p.tgsp --key author/signing.priv \
	--signing-key one/encryption.priv "${trust[@]}" "${add[@]}"
fails 64 'adding a signing key' 'signing' rekey p.tgsp --add other/signing.pub
fails 64 'removing a signing key' 'signing' rekey p.tgsp --remove other/signing.pub
fails 64 'removing nonsense' 'neither a recipient id' rekey p.tgsp --remove nonsense
fails 64 'removing an id in capitals' 'neither a recipient id' rekey p.tgsp --remove "${two^^}f"
fails 64 'nobody left' 'nobody could open' rekey p.tgsp --remove "$one" --remove "$two"
fails 66 'removing who is not there' "$three is no recipient" rekey p.tgsp --remove "$three"
fails 66 'removing by .pub who is not there' "$three is no recipient" rekey p.tgsp --remove three/encryption.pub
fails 66 'one of several is not there' "$three is no recipient" rekey p.tgsp --remove "$two" --remove "$three"
fails 66 'no such package' 'absent.tgsp' rekey absent.tgsp "${add[@]}"
fails 66 'no such key to add' 'absent.pub' rekey p.tgsp --add absent.pub
fails 66 'no such folder for --out' 'absent' rekey p.tgsp "${add[@]}" --out absent/q.tgsp
fails 74 'a folder in the way' 'a-folder' rekey p.tgsp "${add[@]}" --out a-folder
fails 65 'a key file that is none' 'not-a-key' rekey p.tgsp --add not-a-key
fails 65 'a file that is no package' 'not-a-key' rekey not-a-key "${add[@]}"
fails 65 'a package cut short' 'cut.tgsp' rekey cut.tgsp "${add[@]}"
fails 3 'a package that was changed' 'bent.tgsp' rekey bent.tgsp "${add[@]}"
fails 3 'an author who is not trusted' 'not a trusted author' tensorguard rekey p.tgsp "${by[@]}" \
	--trust other/signing.pub "${add[@]}"
fails 4 'signed by somebody else' 'neither the author' tensorguard rekey p.tgsp --key one/encryption.priv \
	--signing-key other/signing.priv "${trust[@]}" "${add[@]}"
fails 4 'somebody else who is trusted' 'neither the author' tensorguard rekey p.tgsp --key one/encryption.priv \
	--signing-key other/signing.priv "${trust[@]}" --trust other/signing.pub \
	--trust-delegate other/signing.pub "${add[@]}"
fails 4 'by who is no recipient' 'not for this key' tensorguard rekey p.tgsp --key three/encryption.priv \
	--signing-key author/signing.priv "${trust[@]}" "${add[@]}"
fails 4 'expired' 'not valid after' rekey old.tgsp "${add[@]}"
fails 4 'for a fleet' 'for fleet robots' rekey fleet.tgsp "${add[@]}"
fails 4 'for another fleet' 'for fleet robots' rekey fleet.tgsp "${add[@]}" --fleet robot
for p in p cut bent old fleet; do
	[ $p != p ] || continue
	exits "$(case $p in cut) echo 65 ;; bent) echo 3 ;; *) echo 4 ;; esac)" "$p.tgsp with --out" \
		rekey $p.tgsp "${add[@]}" --out new.tgsp
done
after=$(find . -type f ! -name '*.priv' -exec sha256sum {} + -o -exec stat -c '%n %a' {} + | sort)
is 'none of it has changed anything or left anything' "$after" "$before"

ok 'while it was valid' rekey old.tgsp "${add[@]}" --at 2000-12-31T23:59:59Z --out new.tgsp
ok 'in its fleet' rekey fleet.tgsp "${add[@]}" --fleet robots

# the rollback floor counts as it does for opening
for n in 3 5; do
	ok "index $n" tensorguard build --input-dir model --out index$n.tgsp --model-name floor \
		--signing-key author/signing.priv --recipient one/encryption.pub --rollback-index $n
done
ok '5 is opened' tensorguard open index5.tgsp --key one/encryption.priv "${trust[@]}" --state state --out out5
fails 4 '3 is below the floor' 'rollback_index 3 is below 5' rekey index3.tgsp "${add[@]}" --state state
ok 'without --state it is re-keyed' rekey index3.tgsp "${add[@]}"
ok '5 is at the floor' rekey index5.tgsp "${add[@]}" --state state

# ---- protected keys ----

printf 'pass word\n' >phrase
printf 'pass word \n' >wrong
mkdir safe
ok 'a protected recipient' tensorguard keygen --type encryption --passphrase-file phrase --out safe
ok 'is added' rekey p.tgsp --add safe/encryption.pub
ok 'and re-keys' tensorguard rekey p.tgsp --key safe/encryption.priv --passphrase-file phrase \
	--signing-key author/signing.priv "${trust[@]}" --remove "$one"
exits 3 'not with another passphrase' tensorguard rekey p.tgsp --key safe/encryption.priv \
	--passphrase-file wrong --signing-key author/signing.priv "${trust[@]}" "${add[@]}"

# ---- several at once ----

cp base.tgsp p.tgsp
for i in 1 2 3 4; do
	tensorguard keygen --type encryption --no-passphrase --out "new$i" >/dev/null
done
for i in 1 2 3 4; do
	to=()
	[ $((i % 2)) -eq 0 ] || to=(--out p.tgsp)
	rekey p.tgsp --add "new$i/encryption.pub" "${to[@]}" >"at-once$i" 2>&1 &
done
wait
is 'four at once: nobody is lost' "$(recipients p.tgsp)" "$(those "$one" "$two" \
	"$(id new1/encryption.pub)" "$(id new2/encryption.pub)" "$(id new3/encryption.pub)" "$(id new4/encryption.pub)")"
ok 'and the package is good' opens p.tgsp two
is 'no temporary names' "$(find . -name '.*' ! -name .)" ''
done_testing

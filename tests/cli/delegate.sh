#!/bin/bash
# Delegates: a manifest lists who else may sign recipients. Who reads such a package has to trust the
# delegate as one; and a delegate may do nothing else.
# shellcheck disable=SC2317 # functions are called through ok and exits
. "$(dirname "$0")/../lib.sh"

for who in author helper second other; do
	ok "keys of $who" tensorguard keygen --type signing --no-passphrase --out "$who"
done
for who in hub robot stranger; do
	ok "keys of $who" tensorguard keygen --type encryption --no-passphrase --out "$who"
done
mkdir model
head -c 70000 /dev/urandom >model/weights.bin
id() { sed 's/.*"key_id":"\([0-9a-f]*\)".*/\1/' "$1"; } # KEY-FILE
helper=$(id helper/signing.pub) second=$(id second/signing.pub) author_id=$(id author/signing.pub)

build() { # OUT OPTION...
	local to=$1
	shift
	tensorguard build --input-dir model --out "$to" --signing-key author/signing.priv \
		--recipient hub/encryption.pub "$@"
}
rekey() { # SIGNER PACKAGE OPTION...
	local signer=$1 package=$2
	shift 2
	tensorguard rekey "$package" --key hub/encryption.priv --signing-key "$signer/signing.priv" "$@"
}
author=(--trust author/signing.pub) helper_too=(--trust author/signing.pub --trust-delegate helper/signing.pub)

# ---- the list in the manifest ----

ok 'a package with two delegates' build p.tgsp --delegate helper/signing.pub --delegate second/signing.pub
is 'it names them, sorted' "$(tensorguard inspect p.tgsp | awk '$1 == "delegate" { print $2 }')" \
	"$(printf '%s\n' "$helper" "$second" | sort)"
has 'in its manifest' <(tensorguard inspect --json p.tgsp) '"delegates":["'
ok 'the same in the other order' build q.tgsp --delegate second/signing.pub --delegate helper/signing.pub
is 'is the same list' "$(tensorguard inspect q.tgsp | grep delegate)" "$(tensorguard inspect p.tgsp | grep delegate)"
exits 65 'a delegate given twice' build twice.tgsp --delegate helper/signing.pub --delegate helper/signing.pub
exits 64 'an encryption key as delegate' build enc.tgsp --delegate robot/encryption.pub
exits 66 'a delegate that is not there' build absent.tgsp --delegate absent.pub
is 'no package came of these' "$(echo ./*.tgsp)" './p.tgsp ./q.tgsp'
ok 'a package without delegates' build none.tgsp
ok 'is read with just the author' tensorguard verify p.tgsp "${author[@]}"

# ---- the delegate re-keys ----

cp p.tgsp by-author.tgsp
ok 'the delegate adds the robot' rekey helper p.tgsp "${author[@]}" --add robot/encryption.pub
is 'signer of the recipients' "$(tensorguard inspect p.tgsp | awk '/recipients by/ { print $3 }')" "$helper"
is 'signer of the contents' "$(tensorguard inspect p.tgsp | awk '$1 == "author" { print $2 }')" "$author_id"
is 'the package_hash stays' "$(tensorguard inspect p.tgsp | grep package_hash)" \
	"$(tensorguard inspect by-author.tgsp | grep package_hash)"
ok 'a reader who trusts the delegate takes it' tensorguard verify p.tgsp "${helper_too[@]}"
exits 3 'one who does not refuses it' tensorguard verify p.tgsp "${author[@]}"
has 'and says why' err 'neither the author nor a trusted delegate'
exits 3 'trusting another delegate does not help' tensorguard verify p.tgsp "${author[@]}" \
	--trust-delegate second/signing.pub
exits 64 'nor trusting the delegate alone' tensorguard verify p.tgsp --trust-delegate helper/signing.pub
exits 3 'the author as a delegate does not sign contents' tensorguard verify p.tgsp \
	--trust-delegate author/signing.pub --trust helper/signing.pub
ok 'trusted as an author is more than as a delegate' tensorguard verify p.tgsp "${author[@]}" \
	--trust helper/signing.pub

ok 'the robot opens it' tensorguard open p.tgsp --key robot/encryption.priv "${helper_too[@]}" --out robots
same 'and has the model' model/weights.bin robots/weights.bin
exits 3 'not without trusting the delegate' tensorguard open p.tgsp --key robot/encryption.priv \
	"${author[@]}" --out no
exits 3 'nor through a tar stream' tensorguard open p.tgsp --key robot/encryption.priv "${author[@]}" --tar
is 'of which there is nothing' "$(wc -c <"$out")" 0
ok 'nothing is left of it' test ! -e no
exits 4 'who was not added is not let in' tensorguard open p.tgsp --key stranger/encryption.priv \
	"${helper_too[@]}" --out no

# ---- and the next one ----

exits 3 'the author has to trust the delegate to go on' rekey author p.tgsp "${author[@]}" \
	--add stranger/encryption.pub
ok 'the other delegate goes on' rekey second p.tgsp "${helper_too[@]}" --add stranger/encryption.pub
ok 'and is the only signer to trust now' tensorguard verify p.tgsp "${author[@]}" \
	--trust-delegate second/signing.pub
exits 3 'the first one is none any more' tensorguard verify p.tgsp "${helper_too[@]}"
ok 'the author takes over again' rekey author p.tgsp "${author[@]}" --trust-delegate second/signing.pub \
	--remove "$(id stranger/encryption.pub)"
ok 'so that no delegate is needed' tensorguard verify p.tgsp "${author[@]}"
ok 'the robot is still in' tensorguard open p.tgsp --key robot/encryption.priv "${author[@]}" --out again

# ---- what is no delegate ----

cp by-author.tgsp untouched.tgsp
exits 4 'who is not listed may not' rekey other by-author.tgsp "${author[@]}" --add robot/encryption.pub
exits 4 'though the option names him' rekey other by-author.tgsp "${author[@]}" \
	--trust-delegate other/signing.pub --add robot/encryption.pub
exits 4 'nor where nobody is listed' rekey helper none.tgsp "${helper_too[@]}" --add robot/encryption.pub
has 'it says who may' err "neither the author's nor one of the manifest's delegates"
same 'the package has not been touched' by-author.tgsp untouched.tgsp
is 'signer of the recipients is the author' \
	"$(tensorguard inspect by-author.tgsp | awk '/recipients by/ { print $3 }')" "$author_id"

# A delegate's own package is none of the author's.
ok 'a delegate builds a package' tensorguard build --input-dir model --out forged.tgsp \
	--signing-key helper/signing.priv --recipient hub/encryption.pub --delegate author/signing.pub
exits 3 'which nobody takes for the author'"'"'s' tensorguard verify forged.tgsp "${helper_too[@]}"

# ---- roles in a store, and their windows ----

ok 'a store: the author' tensorguard trust add store.json author/signing.pub
ok 'a store: the delegate, for a while' tensorguard trust add store.json helper/signing.pub \
	--role delegate --not-before 1000 --not-after 2000
ok 'the delegate re-keys' rekey helper by-author.tgsp "${author[@]}" --add robot/encryption.pub
for at in 1000 1500 2000; do
	ok "the store at $at" tensorguard verify by-author.tgsp --trust store.json --at $at
done
for at in 999 2001; do
	exits 3 "the store at $at" tensorguard verify by-author.tgsp --trust store.json --at $at
done
exits 64 'a store says itself who is a delegate' tensorguard verify by-author.tgsp "${author[@]}" \
	--trust-delegate store.json
ok 'a folder of delegates' tensorguard verify by-author.tgsp "${author[@]}" --trust-delegate helper
exits 66 'a folder without keys' tensorguard verify by-author.tgsp "${author[@]}" --trust-delegate model
done_testing

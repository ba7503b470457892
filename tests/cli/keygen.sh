#!/bin/bash
# keygen: fresh keys with the right modes, never over anything, protected where asked.
# shellcheck disable=SC2154 # $out and $err come from lib.sh
. "$(dirname "$0")/../lib.sh"

# ---- what cannot be ----

exits 64 'no option' tensorguard keygen
has 'it says what is needed' err '--type signing|encryption|both'
exits 64 'no folder' tensorguard keygen --type signing
exits 64 'unknown type' tensorguard keygen --type rsa --out k
exits 64 'unknown option' tensorguard keygen --type signing --out k --bits 4096
exits 64 'a word too many' tensorguard keygen --type signing --out k now
exits 64 'option twice' tensorguard keygen --type signing --type signing --out k
exits 64 'option without its value' tensorguard keygen --out k --type
exits 64 'flag with a value' tensorguard keygen --type signing --out k --no-passphrase=1
exits 64 'passphrase and none' tensorguard keygen --type signing --out k --passphrase-file x --no-passphrase
exits 66 'passphrase file that is not there' tensorguard keygen --type signing --out k --passphrase-file x
exits 64 'unknown requirement' tensorguard keygen --type signing --out k --require everything
: >empty
printf '\nsecond line\n' >first-empty
head -c 1025 /dev/zero | tr '\0' x >long
exits 65 'empty passphrase file' tensorguard keygen --type signing --out k --passphrase-file empty
exits 64 'empty first line' tensorguard keygen --type signing --out k --passphrase-file first-empty
exits 65 'passphrase of 1025 bytes' tensorguard keygen --type signing --out k --passphrase-file long
: >file
exits 74 'a file where the folder should be' tensorguard keygen --type signing --out file --no-passphrase
exits 74 'a file above it' tensorguard keygen --type signing --out file/k --no-passphrase
is 'nothing was made of all these' "$(ls)" "$(printf '%s\n' empty file first-empty long)"

# ---- what is made ----

ok 'a signing key' tensorguard keygen --type signing --out k
has 'off a terminal a note says that it is unprotected' err 'stored unprotected'
is 'one line on standard error' "$(wc -l <"$err")" 1
has 'the report names the algorithm' out 'Ed25519-MLDSA65'
is 'two files' "$(ls -A k)" "$(printf '%s\n' signing.priv signing.pub)"
is 'mode of the private key' "$(stat -c %a k/signing.priv)" 600
is 'mode of the public key' "$(stat -c %a k/signing.pub)" 644
is 'mode of the folder' "$(stat -c %a k)" 755
exits 5 'never overwritten' tensorguard keygen --type signing --out k --no-passphrase
has 'it says which' err 'k/signing.priv: exists already'

ok 'an encryption key beside it' tensorguard keygen --type encryption --out k --no-passphrase
is 'silently' "$(cat "$err")" ''
is 'four files' "$(ls -A k | wc -l)" 4
is 'mode of the private encryption key' "$(stat -c %a k/encryption.priv)" 600
sum=$(cat k/* | cksum)
exits 5 'both, when they are there' tensorguard keygen --type both --out k --no-passphrase
is 'are untouched' "$(cat k/* | cksum)" "$sum"

ok 'both, into folders that are not there' tensorguard keygen --type both --out a/b/c --no-passphrase
is 'four files again' "$(ls -A a/b/c | wc -l)" 4
rm a/b/c/signing.priv a/b/c/signing.pub a/b/c/encryption.priv
exits 5 'a public key alone stops both' tensorguard keygen --type both --out a/b/c --no-passphrase
is 'and none is made' "$(ls -A a/b/c)" encryption.pub
ln -s nowhere dangling.pub
mkdir d && ln -s ../nowhere d/signing.priv
exits 5 'a dangling link is in the way too' tensorguard keygen --type signing --out d --no-passphrase
is 'it is not followed' "$([ -e nowhere ] && echo there)" ''
ok 'a umask of 077 and a key' sh -c 'umask 077; tensorguard keygen --type signing --out u --no-passphrase'
is 'mode under umask 077' "$(stat -c %a u/signing.priv)" 600
ok 'a umask of 0 and a key' sh -c 'umask 0; tensorguard keygen --type signing --out v --no-passphrase'
is 'mode under umask 0' "$(stat -c %a v/signing.priv)" 600
is 'no two keys are the same' "$(sha256sum ./*/signing.pub | sort | uniq -w64 -d)" ''

for who in log witness; do
	ok "a key for a $who" tensorguard keygen --type $who --out e --no-passphrase
	has 'the report names the algorithm' out 'Ed25519-MLDSA44'
	has 'its use' e/$who.pub '"use":"checkpoint"'
	exits 5 'not overwritten' tensorguard keygen --type $who --out e --no-passphrase
done
is 'and their files' "$(cd e && stat -c '%n %a' -- *)" \
	"$(printf '%s\n' 'log.priv 600' 'log.pub 644' 'witness.priv 600' 'witness.pub 644')"
echo phrase >e/phrase
ok 'protected as any other' tensorguard keygen --type log --out e/p --passphrase-file e/phrase
has 'the box' e/p/log.priv '"kdf":"argon2id"'
mkdir e/m && echo weights >e/m/w.txt
exits 64 'it signs no package' tensorguard build --input-dir e/m --out e/m.tgsp --signing-key e/log.priv \
	--recipient k/encryption.pub
has 'it says why' err 'a checkpoint key, a signing key expected'
exits 64 'and receives none' tensorguard build --input-dir e/m --out e/m.tgsp --signing-key k/signing.priv \
	--recipient e/witness.pub
has 'it says why' err 'a checkpoint key, an encryption key expected'
exits 64 'and is no author' tensorguard trust add e/store.json e/log.pub
has 'it says why' err 'a checkpoint key, a signing key expected'

ok 'reproducible secret' tensorguard keygen --type repro --out r
is 'its size and mode' "$(find r -type f -printf '%s %m')" '32 600'
exits 5 'not overwritten either' tensorguard keygen --type repro --out r

ok 'as JSON' tensorguard keygen --type both --out j --no-passphrase --json
if type node >/dev/null 2>&1; then
	is 'one object a line' "$(node -e '
		const fs = require("fs");
		for (const l of fs.readFileSync(0, "utf8").trim().split("\n")) {
			const o = JSON.parse(l);
			const key = JSON.parse(fs.readFileSync(o.private));
			console.log(o.alg, o.key_id === key.key_id, fs.existsSync(o.public));
		}' <"$out")" "$(printf '%s\n' 'Ed25519-MLDSA65 true true' 'X25519-MLKEM768 true true')"
else
	skip 'no node to parse JSON with'
fi

# ---- passphrases ----

printf 'correct horse battery staple\nnot this line\n' >phrase
printf 'wrong\n' >wrong
ok 'a protected key' tensorguard keygen --type both --out p --passphrase-file phrase
lacks 'no note' err note
has 'the box' p/signing.priv '"kdf":"argon2id"'
mkdir m && echo weights >m/w.txt
ok 'it signs with its passphrase' tensorguard build --input-dir m --out m.tgsp --signing-key p/signing.priv \
	--passphrase-file phrase --recipient p/encryption.pub
exits 3 'not with another' tensorguard build --input-dir m --out n.tgsp --signing-key p/signing.priv \
	--passphrase-file wrong --recipient p/encryption.pub
exits 3 'not without one, off a terminal' tensorguard build --input-dir m --out n.tgsp \
	--signing-key p/signing.priv --recipient p/encryption.pub
has 'it says how' err '--passphrase-file'
ok 'it opens with its passphrase' tensorguard open m.tgsp --key p/encryption.priv --trust p/signing.pub \
	--passphrase-file phrase --out o
exits 3 'the opener not with another' tensorguard open m.tgsp --key p/encryption.priv \
	--trust p/signing.pub --passphrase-file wrong --out o2
is 'no package and no folder of the failures' "$(ls -d n.tgsp o2 2>/dev/null)" ''

# On a terminal the passphrase is asked for twice, without echo.
if type script >/dev/null 2>&1; then
	type_it() { # ANSWER ANSWER: into a terminal, slowly enough to come after the prompts
		(for a; do sleep 0.7 && printf '%s\n' "$a"; done) |
			script -qec "tensorguard keygen --type signing --out t" typescript >screen 2>&1
	}
	type_it secret1 secret2
	has 'two different answers' screen 'the two passphrases differ'
	is 'make no key' "$([ -e t ] && ls -A t)" ''
	type_it secret1 secret1
	has 'the same twice' t/signing.priv '"kdf":"argon2id"'
	lacks 'nothing was echoed' screen secret1
	printf secret1 >phrase1
	ok 'and it is that passphrase' tensorguard build --input-dir m --out t.tgsp \
		--signing-key t/signing.priv --passphrase-file phrase1 --recipient p/encryption.pub
else
	skip 'no script(1) to make a terminal with'
fi
done_testing

#!/bin/bash
# build: what goes in, who gets it, what is refused, and that nothing half-made is ever seen.
# shellcheck disable=SC2154 # $out and $err come from lib.sh
. "$(dirname "$0")/../lib.sh"

tensorguard keygen --type both --out k --no-passphrase >/dev/null || exit 1
tensorguard keygen --type both --out second --no-passphrase >/dev/null || exit 1
mkdir -p model/sub
head -c 70000 /dev/urandom >model/weights.bin
echo text >model/sub/README.txt
: >model/empty

build() { # OUT OPTION...: of the model
	local to=$1
	shift
	tensorguard build --input-dir model --out "$to" --signing-key k/signing.priv \
		--recipient k/encryption.pub "$@"
}
opens() { # PACKAGE: it can be opened, and gives the model
	rm -rf got
	tensorguard open "$1" --key k/encryption.priv --trust k/signing.pub --at 1700000000 --out got &&
		diff -r model got
}
json() { # PACKAGE EXPRESSION: of what inspect says
	tensorguard inspect "$1" --json | node -e '
		const o = JSON.parse(require("fs").readFileSync(0)); const m = o.manifest;
		console.log(eval(process.argv[1]))' "$2"
}

# ---- the mission's two commands, word for word ----

mkdir mission && cd mission || exit 1
cp -r ../model my_model_v1
ok 'the first command' tensorguard keygen --type signing --out ./keys
ok 'the second command' tensorguard build --input-dir ./my_model_v1 --out ./my_model_v1.tgsp \
	--signing-key ./keys/signing.priv --model-name "perception-net"
has 'an encryption identity was made, and said so' err 'made an encryption identity'
has 'package_hash is printed' out package_hash
has 'content_hash is printed' out content_hash
is 'its private half has mode 0600' "$(stat -c %a keys/encryption.priv)" 600
ok 'the package opens with it' tensorguard open my_model_v1.tgsp --key keys/encryption.priv \
	--trust keys/signing.pub --out got
ok 'and is the model' diff -r my_model_v1 got
sum=$(cksum <keys/encryption.priv)
ok 'a second build' tensorguard build --input-dir ./my_model_v1 --out ./again.tgsp \
	--signing-key ./keys/signing.priv
has 'uses the identity that is there' err 'encrypting to ./keys/encryption.pub'
is 'and leaves it alone' "$(cksum <keys/encryption.priv)" "$sum"
rm keys/encryption.pub
exits 5 'a private identity without its public half' tensorguard build --input-dir ./my_model_v1 \
	--out ./third.tgsp --signing-key ./keys/signing.priv
is 'is neither used nor replaced' "$(cksum <keys/encryption.priv)" "$sum"
is 'and no package is made' "$([ -e third.tgsp ] && echo there)" ''
cd .. || exit 1

# ---- the report ----

ok 'a package' build p.tgsp
is 'mode' "$(stat -c %a p.tgsp)" 644
ok 'opens' opens p.tgsp
ok 'under its other name' tensorguard tgsp build --input-dir model --out alias.tgsp \
	--signing-key k/signing.priv --recipient k/encryption.pub
ok 'opens too' opens alias.tgsp
if type node >/dev/null 2>&1; then
	ok 'reported as JSON' build p.tgsp --json --recipient second/encryption.pub \
		--recipient k/encryption.pub
	is 'with these facts' "$(node -e '
		const o = JSON.parse(require("fs").readFileSync(0));
		console.log(o.files, o.plain_len, o.recipients, o.package_size, o.tensors,
			/^[0-9a-f]{64}$/.test(o.package_hash), /^[0-9a-f]{64}$/.test(o.content_hash))' <"$out")" \
		"3 $((4096 + 70000)) 2 $(stat -c %s p.tgsp) 0 true true"
	is 'recipients in the package' "$(json p.tgsp 'o.recipients.length')" 2
	ok 'every field' build f.tgsp --model-name n --model-version v --kind adapter --rollback-index 9 \
		--not-before 1600000000 --not-after 2033-05-18T03:33:20Z --target-fleet b --target-fleet a \
		--min-agent-version 0.0.1 --base-model-sha256 "$(printf 'ab%.0s' {1..32})" \
		--prev-package "$(printf 'cd%.0s' {1..32})" --created-at 2020-01-01T00:00:00Z
	is 'is in the manifest' "$(json f.tgsp '[m.model_name, m.model_version, m.kind, m.rollback_index,
		m.not_before, m.not_after, m.target_fleets, m.min_agent_version, m.base_model_sha256.length,
		m.prev_package.slice(0, 4), m.created_at].join()')" \
		'n,v,adapter,9,1600000000,2000000000,a,b,0.0.1,64,cdcd,1577836800'
	is 'defaults' "$(json p.tgsp '[m.model_name, m.model_version, m.rollback_index].join()')" \
		'unknown,1.0.0,0'
	is 'created now' "$(json p.tgsp "Math.abs(m.created_at - $(date +%s)) < 100")" true
	ok 'SOURCE_DATE_EPOCH' env SOURCE_DATE_EPOCH=1234567890 tensorguard build --input-dir model \
		--out e.tgsp --signing-key k/signing.priv --recipient k/encryption.pub
	is 'is the time' "$(json e.tgsp m.created_at)" 1234567890
	ok 'but an option decides' env SOURCE_DATE_EPOCH=1234567890 tensorguard build --input-dir model \
		--out e.tgsp --signing-key k/signing.priv --recipient k/encryption.pub --created-at 5
	is 'over it' "$(json e.tgsp m.created_at)" 5
	printf ' { "z" : [ 1, "\\u00e9" ], "a": {} } \n' >extra.json
	ok 'free parts' build x.tgsp --custom extra.json --policy extra.json --provenance extra.json \
		--model-card extra.json --preprocessing extra.json
	is 'as canonical JSON' "$(tensorguard inspect x.tgsp --json | grep -o '"custom":{[^}]*}[^}]*}')" \
		'"custom":{"a":{},"z":[1,"é"]}'
else
	skip 'no node to parse JSON with'
fi

# ---- refused ----

sum=$(cksum <p.tgsp)
refused() { # CODE TEXT NAME OPTION...
	local want=$1 text=$2 name=$3
	shift 3
	exits "$want" "$name" build p.tgsp "$@"
	has "$name: it says why" err "$text"
}
refused 64 'later than --not-after' 'a window that is none' --not-before 10 --not-after 9
refused 65 kind 'an unknown kind' --kind dataset
refused 65 MAJOR.MINOR.PATCH 'no version' --min-agent-version 1.0
refused 64 '64 lower-case hex' 'upper-case hex' --base-model-sha256 "$(printf 'AB%.0s' {1..32})"
refused 64 '64 lower-case hex' 'short hex' --prev-package abc
refused 65 'model_name' 'an empty name' --model-name ''
refused 65 'model_name' 'a name of 256 bytes' --model-name "$(printf 'n%.0s' {1..256})"
refused 65 'control character' 'a name with a newline' --model-name "$(printf 'a\nb')"
refused 65 'target_fleets' 'a fleet twice' --target-fleet a --target-fleet a
refused 64 '--rollback-index' 'a negative rollback index' --rollback-index -1
refused 64 '--rollback-index' 'a rollback index of 2^53' --rollback-index 9007199254740992
refused 64 '--threads' 'too many threads' --threads 65
refused 64 '--created-at' 'no time' --created-at tomorrow
refused 64 'encryption' 'a signing key as recipient' --recipient k/signing.pub
refused 66 'absent.pub' 'a recipient that is not there' --recipient absent.pub
refused 66 'absent.json' 'a free part that is not there' --custom absent.json
printf '[1]' >array.json
printf '{"a":1.5}' >fraction.json
printf '{"a":null}' >null.json
printf '{"A":1}' >upper.json
printf '{"a":1,"a":1}' >twice.json
printf '{"a":1' >cut.json
printf '{"a":1}\0rest' >nul.json
printf '{"a":[[[[[[[[1]]]]]]]]}' >deep.json
: >empty.json
for bad in array fraction null upper twice cut nul deep empty; do
	run build p.tgsp --custom $bad.json
	if [ "$code" = 65 ] || [ "$code" = 64 ]; then
		pass "a free part: $bad"
	else
		fail "a free part: $bad" "exit code $code"
		show
	fi
done
exits 64 'a public key to sign with' tensorguard build --input-dir model --out p.tgsp \
	--signing-key k/signing.pub --recipient k/encryption.pub
exits 64 'an encryption key to sign with' tensorguard build --input-dir model --out p.tgsp \
	--signing-key k/encryption.priv --recipient k/encryption.pub
exits 66 'no input folder' tensorguard build --input-dir absent --out p.tgsp \
	--signing-key k/signing.priv --recipient k/encryption.pub
mkdir nothing nothing/in-it
exits 64 'an empty input folder' tensorguard build --input-dir nothing --out p.tgsp \
	--signing-key k/signing.priv --recipient k/encryption.pub
exits 66 'no folder to put it' build absent/p.tgsp
is 'the old package has not been touched by any of these' "$(cksum <p.tgsp)" "$sum"
is 'and nothing else was left' "$(find . -name '.tg-*' -o -name '*.tmp')" ''

# ---- files that may not be packaged ----

in_model() { # CODE TEXT NAME: with what is in the model now
	exits "$1" "$3" build new.tgsp
	has "$3: it says why" err "$2"
	is "$3: no package" "$([ -e new.tgsp ] && echo there)" ''
}
ln -s weights.bin model/link
in_model 64 'link: a symbolic link' 'a symbolic link'
rm model/link
ln -s / model/sub/root
in_model 64 'sub/root: a symbolic link' 'a link to a folder'
rm model/sub/root
mkfifo model/fifo
in_model 64 'fifo: a special file' 'a FIFO'
rm model/fifo
touch "$(printf 'model/\377')"
in_model 64 'not UTF-8' 'a name that is not UTF-8'
rm "$(printf 'model/\377')"
touch 'model/a\b'
in_model 65 'byte 0x5c' 'a name with a backslash'
rm 'model/a\b'
touch "$(printf 'model/a\nb')"
in_model 65 'byte 0x0a' 'a name with a newline'
rm "$(printf 'model/a\nb')"
touch model/EMPTY
in_model 65 'upper and lower case' 'two names of one spelling'
rm model/EMPTY
chmod 000 model/sub/README.txt
if [ "$(id -u)" -ne 0 ]; then
	in_model 74 'README.txt' 'a file that cannot be read'
fi
chmod 644 model/sub/README.txt

# ---- files that run code when loaded ----

code_is_refused() { # FILE TEXT NAME
	in_model 4 "$2" "$3"
	has "$3: names the file" err "$1"
	has "$3: and the way out" err --allow-pickle
	ok "$3: allowed" build allowed.tgsp --allow-pickle
	ok "$3: opens" opens allowed.tgsp
	rm "model/$1"
}
printf '\200\002}q\000.' >model/two.bin
code_is_refused two.bin 'two.bin' 'pickle of protocol 2'
printf '\200\004\225\002\000\000\000\000\000\000\000}\224.' >model/four.dat
code_is_refused four.dat 'four.dat' 'pickle of protocol 4'
printf '(dp0\n.' >model/zero.pkl
code_is_refused zero.pkl 'zero.pkl' 'pickle of protocol 0 by its name'
printf '\223NUMPY\001\000\166\000%-117s\n' "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }" \
	>model/objects.npy
code_is_refused objects.npy 'objects.npy' 'npy of objects'
head -c 4096 /dev/urandom >model/raw.bin
ok 'raw numbers are no code' build raw.tgsp
rm model/raw.bin

# ---- input that changes between the two passes ----

# The build is stopped when it has read the file once, and goes on when the file is another.
mkdir big
truncate -s 150M big/model.bin
changed_meanwhile() { # COMMAND...: what happens to the file; exits as the build does
	local pid='' read=0 after=0
	tensorguard build --input-dir big --out big.tgsp --signing-key k/signing.priv \
		--recipient k/encryption.pub &
	pid=$!
	while [ "$read" -le 158000000 ]; do
		read=$(sed -n 's/^rchar: //p' "/proc/$pid/io" 2>/dev/null)
		[ -n "$read" ] || break
	done
	kill -STOP "$pid" 2>/dev/null
	after=$(sed -n 's/^rchar: //p' "/proc/$pid/io" 2>/dev/null)
	[ "${after:-999999999}" -lt 290000000 ] || in_time=
	"$@"
	kill -CONT "$pid" 2>/dev/null
	wait "$pid"
}
if [ -r /proc/self/io ] && [ "$(id -u)" -eq 0 ]; then
	# what is read is what was hashed, or there is no package; a name or an end behind the bytes
	# that were hashed does not matter any more
	while read -r want what; do
		truncate -s 0 big/model.bin
		truncate -s 150M big/model.bin
		in_time=1
		run changed_meanwhile sh -c "$what"
		if [ -z "$in_time" ]; then
			skip 'the machine is too slow to stop the build in time'
		else
			is "in the second pass: $what" "$code$([ -e big.tgsp ] && echo +there)" "$want"
		fi
		rm -f big.tgsp
	done <<-'END'
		5	printf x | dd of=big/model.bin bs=1 seek=149999999 conv=notrunc status=none
		74	truncate -s 1M big/model.bin
		0+there	printf x >>big/model.bin
		0+there	rm big/model.bin
	END
else
	skip 'the build cannot be watched here'
fi
rm -rf big

# ---- the output ----

ok 'over an older package' build p.tgsp
ok 'which opens' opens p.tgsp
ln -s target.tgsp link.tgsp
ok 'over a link' build link.tgsp
is 'replaces the link, and does not follow it' "$([ -L link.tgsp ] && echo link)$([ -e target.tgsp ] && echo target)" ''
mkdir folder.tgsp
exits 74 'over a folder' build folder.tgsp
is 'no trace' "$(find . -name '.tg-*')" ''
done_testing

#!/bin/bash
# verify: what a mirror or an auditor can check without a private key, and what it reports.
# shellcheck disable=SC2154 # $out and $err come from lib.sh
. "$(dirname "$0")/../lib.sh"

tensorguard keygen --type both --out k --no-passphrase >/dev/null || exit 1
tensorguard keygen --type both --out other --no-passphrase >/dev/null || exit 1
mkdir model
head -c 300000 /dev/urandom >model/weights.bin
build() { # OUT OPTION...
	local to=$1
	shift
	tensorguard build --input-dir model --out "$to" --signing-key k/signing.priv \
		--recipient k/encryption.pub "$@" >/dev/null
}
build p.tgsp --model-name perception --model-version 2.1.0 --rollback-index 5 --target-fleet edge \
	--not-before 1600000000 --not-after 1800000000 --min-agent-version 0.0.1 || exit 1
build plain.tgsp || exit 1
trust=(--trust k/signing.pub)

# ---- trust ----

ok 'by the author' tensorguard verify plain.tgsp "${trust[@]}"
has 'it says so' out 'plain.tgsp: verified'
has 'and that no condition stands in the way' out 'met'
ok 'a folder with the key in it' tensorguard verify plain.tgsp --trust k
ok 'several, one of them the author' tensorguard verify plain.tgsp --trust other/signing.pub "${trust[@]}"
ok 'a private key file has its public half too' tensorguard verify plain.tgsp --trust k/signing.pub
exits 3 'somebody else' tensorguard verify plain.tgsp --trust other/signing.pub
has 'it says who signed' err "signed by $(sed 's/.*"key_id":"\([0-9a-f]*\)".*/\1/' k/signing.pub)"
exits 64 'nobody' tensorguard verify plain.tgsp
has 'it says why' err 'a key inside a package is never trusted'
exits 3 'the author as a delegate only' tensorguard verify plain.tgsp --trust other/signing.pub \
	--trust-delegate k/signing.pub
exits 64 'an encryption key' tensorguard verify plain.tgsp --trust k/encryption.pub
mkdir none && cp k/encryption.pub none
exits 66 'a folder without a signing key' tensorguard verify plain.tgsp --trust none
mkdir links && ln -s ../k/signing.pub links/signing.pub
exits 64 'a folder with a link in it' tensorguard verify plain.tgsp --trust links
printf '{}' >none/broken.pub
exits 65 'a folder with a broken key in it' tensorguard verify plain.tgsp --trust none

# ---- policy: reported, and enforced on demand ----

report() { # NAME TEXT OPTION...: what is said; exit code 0 all the same
	local name=$1 text=$2
	shift 2
	ok "$name: reported" tensorguard verify p.tgsp "${trust[@]}" "$@"
	has "$name: in words" out "$text"
	exits 4 "$name: enforced" tensorguard verify p.tgsp "${trust[@]}" "$@" --policy
	has "$name: the reason" err "$text"
}
good=(--at 1700000000 --fleet edge)
ok 'all conditions met' tensorguard verify p.tgsp "${trust[@]}" "${good[@]}" --policy
has 'it says so' out 'met'
report 'a second too early' 'not valid before' --fleet edge --at 1599999999
ok 'the first second' tensorguard verify p.tgsp "${trust[@]}" --fleet edge --at 1600000000 --policy
ok 'the last second, as a date' tensorguard verify p.tgsp "${trust[@]}" --fleet edge \
	--at 2027-01-15T08:00:00Z --policy
report 'a second too late' 'not valid after' --fleet edge --at 2027-01-15T08:00:01Z
report 'no fleet' 'no fleet' --at 1700000000
report 'another fleet' 'for fleet edge' --at 1700000000 --fleet Edge
mkdir state
ok 'an empty state' tensorguard verify p.tgsp "${trust[@]}" "${good[@]}" --policy --state state
is 'verify leaves no floor behind' "$(ls -A state)" ''
id=$(sed 's/.*"key_id":"\([0-9a-f]*\)".*/\1/' k/signing.pub)
floor() { # INDEX MODEL
	printf '{"floors":[{"author":"%s","index":%s,"model":"%s"}],"tensorguard_state":1}' "$id" "$1" "$2" \
		>state/rollback.json
}
floor 5 perception
ok 'a floor that is reached' tensorguard verify p.tgsp "${trust[@]}" "${good[@]}" --policy --state state
floor 6 perception
report 'a floor above' 'rollback_index 5 is below 6' "${good[@]}" --state state
floor 6 other-model
ok 'a floor of another model' tensorguard verify p.tgsp "${trust[@]}" "${good[@]}" --policy --state state
for damage in '' '{' '[]' '{"floors":[],"tensorguard_state":2}' '{"floors":[{}],"tensorguard_state":1}' \
	'{"floors":[],"tensorguard_state":1,"x":1}'; do
	printf %s "$damage" >state/rollback.json
	run tensorguard verify p.tgsp "${trust[@]}" "${good[@]}" --policy --state state
	if [ "$code" -eq 65 ] || [ "$code" -eq 69 ]; then
		pass "a damaged state is no empty one: '$damage'"
	else
		fail "a damaged state is no empty one: '$damage'" "exit code $code"
	fi
done
floor -7 perception
run tensorguard verify p.tgsp "${trust[@]}" "${good[@]}" --policy --state state
is 'a negative floor is damage too' "$code" 65
exits 66 'a state folder that is not there' tensorguard verify p.tgsp "${trust[@]}" "${good[@]}" \
	--policy --state absent
build newer.tgsp --min-agent-version 65535.0.0 || exit 1
exits 4 'a newer agent is needed' tensorguard verify newer.tgsp "${trust[@]}" --policy
has 'it says which' err 'needs version 65535.0.0'

# ---- damage ----

size=$(stat -c %s plain.tgsp)
damaged() { # OFFSET: of one byte
	cp plain.tgsp d.tgsp
	LC_ALL=C printf '\377' | dd of=d.tgsp bs=1 seek="$1" conv=notrunc status=none
	cmp -s plain.tgsp d.tgsp && printf '\376' | dd of=d.tgsp bs=1 seek="$1" conv=notrunc status=none
	run tensorguard verify d.tgsp "${trust[@]}"
}
bad=0
for i in 0 4 6 9 20 300 600 1000 2500 4095 8192 100000 $((size / 2)) $((size - 9000)) $((size - 1)); do
	damaged "$i"
	[ "$code" -eq 65 ] || [ "$code" -eq 3 ] || { bad=1 && note "byte $i: exit code $code"; }
	[ ! -s "$out" ] || { bad=1 && note "byte $i: $(cat "$out")"; }
done
is 'single bytes all over the file' "$bad" 0
bad=0
for n in 0 1 5 6 100 5000 $((size - 1)); do
	head -c "$n" plain.tgsp >d.tgsp
	run tensorguard verify d.tgsp "${trust[@]}"
	[ "$code" -eq 65 ] || { bad=1 && note "$n bytes: exit code $code"; }
done
is 'truncations' "$bad" 0
printf x | cat plain.tgsp - >d.tgsp
exits 65 'a byte behind the end' tensorguard verify d.tgsp "${trust[@]}"

# ---- deep ----

ok 'deep' tensorguard verify plain.tgsp "${trust[@]}" --deep --key k/encryption.priv
has 'it says so' out 'verified, file hashes too'
exits 64 'deep without a key' tensorguard verify plain.tgsp "${trust[@]}" --deep
exits 4 'deep with the key of somebody else' tensorguard verify plain.tgsp "${trust[@]}" --deep \
	--key other/encryption.priv
exits 4 'deep when the policy is against it' tensorguard verify p.tgsp "${trust[@]}" --deep \
	--key k/encryption.priv --at 1

# ---- JSON ----

if type node >/dev/null 2>&1; then
	facts() {
		node -e 'const o = JSON.parse(require("fs").readFileSync(0)); console.log(
			[o.verified, o.deep, o.model_name, o.model_version, o.files, o.plain_len,
			o.author_key_id === process.argv[1], Object.entries(o.policy).map(e => e.join("=")).join(" "),
			o.package_hash.length, o.content_hash.length].join())' "$id" <"$out"
	}
	ok 'as JSON' tensorguard verify p.tgsp "${trust[@]}" --json --fleet yard --at 1
	is 'with its facts' "$(facts)" \
		'true,false,perception,2.1.0,1,300000,true,agent_version=true fleet=false rollback_floor=true window=false,64,64'
	ok 'deep as JSON' tensorguard verify p.tgsp "${trust[@]}" --json "${good[@]}" --deep --key k/encryption.priv
	is 'with its facts' "$(facts)" \
		'true,true,perception,2.1.0,1,300000,true,agent_version=true fleet=true rollback_floor=true window=true,64,64'
else
	skip 'no node to parse JSON with'
fi

# ---- threads, and memory that cannot be locked ----

for n in 1 2 3 64; do ok "$n threads" tensorguard verify plain.tgsp "${trust[@]}" --threads "$n"; done
if grep -qE '__(asan|tsan)_init' "$build/tensorguard"; then
	skip 'the mlock() of a sanitizer locks nothing and never fails'
elif [ "$(id -u)" -eq 0 ] && type setpriv >/dev/null 2>&1; then
	chmod 755 "$scratch"
	cp "$build/tensorguard" .
	nobody() { # KIB COMMAND...
		local kib=$1
		shift
		(ulimit -l "$kib" && exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@")
	}
	chmod 644 k/encryption.priv
	ok 'little memory to lock: noted' nobody 64 ./tensorguard verify plain.tgsp "${trust[@]}" --deep \
		--key k/encryption.priv --threads 1
	is 'in one line' "$(grep -c RLIMIT_MEMLOCK "$err")" 1
	exits 65 'or refused' nobody 64 ./tensorguard verify plain.tgsp "${trust[@]}" --deep \
		--key k/encryption.priv --threads 1 --require locked
	has 'saying how to raise it' err 'ulimit -l'
	ok 'enough to lock' nobody 8192 ./tensorguard verify plain.tgsp "${trust[@]}" --deep \
		--key k/encryption.priv --threads 1 --require locked
	lacks 'nothing to note' err RLIMIT_MEMLOCK
else
	skip 'no other user to be'
fi
done_testing

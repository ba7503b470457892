#!/bin/bash
# evidence prove, verify, export: what an auditor does, also without this program, and what he finds when
# somebody has been at the log.
# shellcheck disable=SC2154,SC2317 # $out and $err come from lib.sh; functions are called through ok
. "$(dirname "$0")/../lib.sh"
unset TG_EVIDENCE

ev() { tensorguard evidence "$@"; }
records() { cat -- "$1"/segments/*.jsonl; } # LOG
notes() { # FROM TO: as many events
	seq "$1" "$2" | sed 's/.*/{"event_type":"NOTE_ADDED","note":"note &"}/'
}
root_of() { sed -n 3p "$1" | base64 -d | xxd -p -c 64; } # CHECKPOINT: in hex

# checkpoints of 4 and 10 records, 12 records, the newest two unprotected
ok 'a log' ev create log --origin example.com/audit
notes 1 3 >events && ok 'three notes' ev append log events
ok 'a checkpoint' ev checkpoint log --out kept4
notes 4 9 >events && ok 'six notes' ev append log events
ok 'a checkpoint' ev checkpoint log --out kept10
notes 10 11 >events && ok 'two notes' ev append log events
ok 'another log' ev create other --origin example.com/other
ok 'with a checkpoint' ev checkpoint other --out kept-other
ok 'and another one' ev create other2 --origin example.com/audit
notes 1 3 >events && ok 'of the same name' ev append other2 events
cp log/log.policy policy
cp other/log.policy other.policy
{ sed -n 1p policy && echo 'quorum none'; } >ed25519.policy

# ---- verify ----

ok 'verify' ev verify log --policy policy
has 'its records' out 'records      12, each in its place'
has 'its checkpoints' out 'checkpoints  2, the newest over 10 records'
has 'what they do not cover' out 'unprotected  2 records behind the newest checkpoint'
lacks 'signatures were checked' out 'NOT CHECKED'
ok 'without a policy' ev verify log
has 'it says that no signature was checked' out 'SIGNATURES NOT CHECKED'
ok 'on one thread' ev verify log --policy policy --threads 1
ok 'with a half of the keys' ev verify log --policy ed25519.policy
ok 'as JSON' ev verify log --policy policy --json
has 'it counts' out '"checkpoints":2,"covered":10,'
has 'and says that signatures were checked' out '"signatures_checked":true'
has 'and the verdict' out '"verified":true}'
ok 'a log without a checkpoint' bash -c 'tensorguard evidence create bare --origin example.com/bare &&
	tensorguard evidence verify bare --policy bare/log.policy'
has 'it says so' out 'checkpoints  none'
exits 3 'with the policy of another log' ev verify log --policy other.policy
has 'it names the checkpoint' err 'checkpoints/00000000000000000004'
exits 66 'a policy that is not there' ev verify log --policy absent
exits 65 'a policy that is none' ev verify log --policy events
exits 66 'a folder that is not there' ev verify absent
mkdir empty
exits 66 'a folder without a log' ev verify empty --json
is 'is not judged' "$(cat "$out")" ''
exits 64 'a record without a proof' ev verify log --record events
exits 64 'too many threads' ev verify log --threads 100000
ok 'a checkpoint that was kept' ev verify log --policy policy --checkpoint kept4
has 'it says that it fits' out 'kept         kept4 fits'
ok 'as JSON' ev verify log --checkpoint kept10 --json
has 'it says that it fits' out '"kept_checkpoint_fits":true'
exits 3 'one of another log, by its signature' ev verify log --policy policy --checkpoint kept-other
exits 3 'and by itself' ev verify log --checkpoint kept-other
exits 66 'one that is not there' ev verify log --checkpoint absent
exits 65 'one that is none' ev verify log --checkpoint events
exits 64 'with a proof' ev verify --proof x --policy policy --checkpoint kept4

# ---- somebody has been at it ----

tampered() { # CODE NAME TEXT COMMAND: in a copy, COMMAND; then verify says TEXT
	rm -rf t && cp -r log t && rm -f t/index.db*
	(cd t && eval "$4") || exit 1
	exits "$1" "$2" ev verify t --policy policy
	has '  it is named' err "$3"
}
s=segments/00000000000000000000.jsonl
tampered 3 'a letter of a record' 't: record 2: ' "sed -i '3s/note 2/note X/' $s"
has '  with the checkpoints it lies between' err '(between the checkpoints of 0 and 4 records) (auth)'
exits 3 '  as JSON' ev verify t --policy policy --json
has '  the record' out '"bad_record":2,"checkpoint_after":4,"checkpoint_before":0'
has '  the reason' out '"reason":"record 2: '
has '  the verdict' out '"verified":false'
tampered 3 'a time' 't: record 7: ' "sed -i '8s/\"timestamp\":[0-9]*}/\"timestamp\":1}/' $s"
has '  between 4 and 10' err '(between the checkpoints of 4 and 10 records)'
tampered 3 'the author of a record' 't: record 7: ' "sed -i '8s/\"uid:[0-9]*\"/\"uid:99\"/' $s"
tampered 3 'a record behind the newest checkpoint' 't: record 11: ' "sed -i '12s/note 11/note XX/' $s"
has '  which is said' err '(behind the checkpoint of 10 records, the newest)'
tampered 3 'a record removed' 't: record 6 stands where record 5 is expected' "sed -i 6d $s"
tampered 3 'a record twice' 't: record 5 stands where record 6 is expected' "sed -i 6p $s"
tampered 3 'two records exchanged' 't: record 6 stands where record 5 is expected' "sed -i '6{h;d};7{G}' $s"
tampered 3 'a record of another log' 't: record 2: prev_hash' "sed -n 3p ../other2/$s >x; sed -i -e 2r\ x -e 3d $s"
tampered 65 'a line that is no record' 't: record 5: ' "sed -i '6s/.*/garbage/' $s"
tampered 3 'another form of the same JSON' 't: record 5: ' "sed -i '6s/\"actor\":/\"actor\": /' $s"
tampered 3 'a NUL' 't: record 5: ' "sed -i '6s/note 5/note \\x00/' $s"
tampered 3 'the end, up to what a checkpoint covers' '8 records are there' "sed -i '9,\$d' $s"
tampered 3 'a checkpoint changed' 'checkpoints/00000000000000000004' "sed -i 's/^4\$/5/' checkpoints/00000000000000000004"
tampered 3 'a signature changed' 'checkpoints/00000000000000000010' "sed -i '5s/.....\$/AAAA=/' checkpoints/00000000000000000010 checkpoint"
tampered 3 'the post-quantum half removed' 'without its post-quantum signature' "sed -i 6d checkpoints/00000000000000000010 checkpoint"
tampered 3 'the newest checkpoint put back' 'checkpoint: ' "cp checkpoints/00000000000000000004 checkpoint && rm checkpoints/00000000000000000004"
tampered 65 'the newest checkpoint gone' 'checkpoint: not there' 'rm checkpoint'

# with its key and its files, another log is made in its place
rm -rf fork && mkdir fork && cp log/log.priv fork/
ok 'a log is written anew with its own key' ev create fork --origin example.com/audit
notes 1 12 | sed 's/note 2"/note two"/' >events
ok '  with one thing changed' ev append fork events
ok '  and signed' ev checkpoint fork
ok '  by itself it is fine' ev verify fork --policy policy
exits 3 '  but not for who has kept a checkpoint' ev verify fork --policy policy --checkpoint kept10
has '  which covers the lie' err 'are not those that were signed'
cp -r fork fork2 && rm -r fork2/checkpoint* && sed -i '11,$d' fork2/segments/*.jsonl && rm fork2/tail
ok '  one of the same size' ev checkpoint fork2
exits 3 '  does not fit either' ev verify fork2 --policy policy --checkpoint kept10
has '  there are two' err 'there are two logs'
cp -r log cut && rm -r cut/checkpoint* cut/tail && sed -i '9,$d' cut/segments/*.jsonl
ok 'a log cut back with its checkpoints is fine by itself' ev verify cut --policy policy
exits 3 '  and the end is missed by who has kept one' ev verify cut --policy policy --checkpoint kept10
has '  it says so' err 'the end is missing'
tensorguard evidence checkpoint log --newest --print >short
exits 3 '  and by who has the short form' ev verify cut --policy ed25519.policy \
	--checkpoint short

# ---- prove ----

for i in 0 3 4 9; do
	ok "a proof of record $i" ev prove log $i --out $i.tlog-proof
	records log | sed -n $((i + 1))p >$i.json
	ok '  verifies with the record' ev verify --proof $i.tlog-proof --record $i.json --policy policy
	has '  it says what it proves' out "$i.tlog-proof: record $i is in the log \"example.com/audit\", under its checkpoint of 10 records"
	ok '  one that carries it' ev prove log $i --with-record --out $i.whole
	ok '  needs no more' ev verify --proof $i.whole --policy policy
done
ok 'to standard output' ev prove log 4
same 'it is the same' "$out" 4.tlog-proof
ok 'as JSON' ev verify --proof 4.whole --policy policy --json
has 'with the record' out "\"note\\\":\\\"note 4\\\""
has 'and its place' out '"sequence":4,"size":10,"verified":true}'
printf %s "$(cat 4.json)" >4.bare
ok 'the record without its newline' ev verify --proof 4.tlog-proof --record 4.bare --policy policy
ok 'given beside a proof that carries it' ev verify --proof 4.whole --record 4.json --policy policy
ok 'with a half of the keys' ev verify --proof 4.whole --policy ed25519.policy
exits 66 'a record behind the checkpoint' ev prove log 10
has 'it says how it is covered' err "the newest checkpoint covers 10 records ('tensorguard evidence checkpoint' makes another)"
exits 66 'a log without a checkpoint' ev prove bare 0
has 'it says how one is made' err "('tensorguard evidence checkpoint' makes one)"
exits 64 'no number' ev prove log x
exits 66 'no log' ev prove empty 0
exits 66 'no place for the file' ev prove log 0 --out absent/x
unproved() { # CODE NAME OPTION...
	local want=$1 name=$2
	shift 2
	exits "$want" "no proof: $name" ev verify "$@"
}
unproved 64 'without a policy' --proof 4.whole
unproved 64 'and a log' log --proof 4.whole --policy policy
unproved 64 'without the record' --proof 4.tlog-proof --policy policy
has '  it says that it is needed' err 'record'
unproved 3 'another record' --proof 4.tlog-proof --record 3.json --policy policy
unproved 3 'another record than it carries' --proof 4.whole --record 3.json --policy policy
sed 's/note 4/note 5/' 4.json >bad.json
unproved 3 'a record changed' --proof 4.tlog-proof --record bad.json --policy policy
unproved 3 'the policy of another log' --proof 4.whole --policy other.policy
bent() { # CODE NAME COMMAND...: run over the proof
	local want=$1 name=$2
	shift 2
	"$@" <4.whole >bent
	unproved "$want" "$name" --proof bent --policy policy
}
bent 3 'another index' sed 's/^index 4$/index 5/'
bent 3 'an index outside' sed 's/^index 4$/index 10/'
bent 65 'no index' sed 's/^index .*/index x/'
bent 3 'a hash changed' sed '4{s/^A/B/;t;s/^./A/}'
bent 3 'a hash less' sed 4d
bent 3 'a hash more' sed 4p
bent 65 'no hash' sed '4s/.*/?/'
bent 3 'another size' sed 's/^10$/11/'
bent 3 'another root' sed '/^10$/{n;s/^A/B/;t;s/^./A/}'
bent 3 'another origin' sed 's/^example.com.audit$/example.com\/other/'
bent 3 'a signature less' head -n -1
bent 65 'cut short' head -c 200
bent 65 'nothing' head -c 0
bent 65 'something else' sed '1s/.*/something/'
bent 65 'a NUL' sed '2s/$/\x00/'
unproved 66 'none' --proof absent --policy policy
unproved 66 'no record' --proof 4.tlog-proof --record absent --policy policy
head -c 600000 /dev/zero >zeros
unproved 65 'a long file' --proof zeros --policy policy
unproved 65 'a long record' --proof 4.tlog-proof --record zeros --policy policy

# ---- export ----

ok 'export' ev export log --out audit
has 'it counts what the checkpoint covers' out 'audit: 10 records'
is 'it has no key' "$(find audit -name '*.priv' -o -name '*.policy')" ''
mkdir away && mv audit away/ && cp policy away/ && mv log hidden
ok 'elsewhere, with the policy alone' bash -c 'cd away && tensorguard evidence verify audit --policy policy'
has 'every record' out 'records      10, each in its place'
has 'every checkpoint' out 'checkpoints  2, the newest over 10 records'
ok 'and a checkpoint that was kept' ev verify away/audit --policy policy --checkpoint kept4
sed 's/^10$/12/' kept10 >later
exits 3 'a later one misses the end' ev verify away/audit --policy policy --checkpoint later
mv hidden log
chmod -R a-w away/audit
ok 'it is only read' ev verify away/audit --policy policy
chmod -R u+w away/audit
cp -r away/audit t2 && f=$(find t2/tile/entries -type f)
sed -i 's/note 2/note X/' "$f"
exits 3 'a letter changed' ev verify t2 --policy policy
has '  it is named' err 't2: record 2: '
rm "$f"
exits 65 'a tile that is not there' ev verify t2 --policy policy
exits 5 'a folder with something in it' ev export log --out away
has '  one of it is named' err 'away: not empty ('
exits 66 'a log without a checkpoint' ev export bare --out audit2
is '  leaves nothing' "$(ls -d audit2 2>/dev/null)" ''
exits 66 'no log' ev export empty --out audit2
exits 64 'where to?' ev export log
ok 'as JSON' ev export log --out audit3 --json
is '  it counts' "$(cat "$out")" '{"records":10}'
notes 12 700 >events && ok 'a log of some tiles' ev append log events
ok '  with a checkpoint' ev checkpoint log
ok '  exports' ev export log --out audit4
ok '  and is checked' ev verify audit4 --policy policy --checkpoint kept10
is '  full tiles and parts' "$(cd audit4/tile && find . -type f | sort | xargs)" \
	'./0/000 ./0/001 ./0/002.p/189 ./1/000.p/2 ./entries/000 ./entries/001 ./entries/002.p/189'

# ---- without this program ----

tools=
for t in sha256sum xxd base64 openssl; do command -v $t >/dev/null || tools="$tools $t"; done
if [ -n "$tools" ]; then
	skip "an audit with other tools: not here:$tools"
else
	line=$(records log | sed -n 2p) before=$(records log | sed -n 1p)
	member() { sed -E "s/.*\"$1\":\"([0-9a-f]{64})\".*/\1/"; }
	event="{${line#*\},}" # without _chain, which is an object of texts and one number
	event_hash=$(printf %s "$event" | sha256sum | cut -d ' ' -f 1)
	is 'event_hash of record 1, by sha256sum' "$(member event_hash <<<"$line")" "$event_hash"
	is 'its prev_hash' "$(member prev_hash <<<"$line")" "$(member chain_hash <<<"$before")"
	is 'its chain_hash' "$(member chain_hash <<<"$line")" \
		"$(printf %s:%s "$(member prev_hash <<<"$line")" "$event_hash" | sha256sum | cut -d ' ' -f 1)"

	sha256() { xxd -r -p | sha256sum | cut -d ' ' -f 1; } # of what hex stands for
	# RFC 9162 section 2.1.3.2: the root that a leaf and a path lead to
	climb() { # INDEX SIZE LEAF HASH...
		local i=$1 last=$(($2 - 1)) node=$3 hash
		shift 3
		for hash; do
			if ((i & 1)) || ((i == last)); then
				node=$(printf '01%s%s' "$hash" "$node" | sha256)
				while ! ((i & 1)) && ((i != 0)); do i=$((i >> 1)) last=$((last >> 1)); done
			else
				node=$(printf '01%s%s' "$node" "$hash" | sha256)
			fi
			i=$((i >> 1)) last=$((last >> 1))
		done
		echo "$node"
	}
	for i in 4 9; do
		leaf=$({ printf '\0' && printf %s "$(cat $i.json)"; } | sha256sum | cut -d ' ' -f 1)
		path=$(sed -n '/^index/,/^$/p' $i.tlog-proof | sed '1d;$d' | while read -r h; do base64 -d <<<"$h" | xxd -p -c 64; done)
		sed '1,/^$/d' $i.tlog-proof >under
		# shellcheck disable=SC2086 # one word a hash
		is "the root over record $i, from its proof" "$(climb $i 10 "$leaf" $path)" "$(root_of under)"
		is '  it is the one that is signed' "$(root_of under)" "$(root_of kept10)"
	done

	key=$(sed -n '1s/^[^+]*+[^+]*+//p' policy | base64 -d | xxd -p -c 64) # type 01, 32 bytes
	is 'the first key is Ed25519' "${key:0:2} ${#key}" '01 66'
	printf '302a300506032b6570032100%s' "${key:2}" | xxd -r -p >key.der
	printf '%s\n' "$(sed '/^$/,$d' kept10)" >text
	sed -n 5p kept10 | sed 's/.* //' | base64 -d | tail -c +5 >signature
	if openssl pkeyutl -help 2>&1 | grep -q -e -rawin; then
		ok 'the checkpoint is signed with it, says openssl' openssl pkeyutl -verify -pubin -keyform DER -inkey key.der \
			-rawin -in text -sigfile signature
		sed -i s/10/11/ text
		exits 1 'and another is not' openssl pkeyutl -verify -pubin -keyform DER -inkey key.der \
			-rawin -in text -sigfile signature
	else
		skip 'the signature: this openssl has no -rawin'
	fi
	is 'a level 0 tile is the leaves' "$(head -c 128 audit4/tile/0/000 | tail -c 32 | xxd -p -c 64)" \
		"$({ printf '\0' && printf %s "$(cat 3.json)"; } | sha256sum | cut -d ' ' -f 1)"
	is 'an entry is the record behind its length' "$(head -c 2 audit4/tile/entries/000 | xxd -p)" \
		"$(printf %04x "$(printf %s "$(cat 0.json)" | wc -c)")"
fi

done_testing

#!/bin/bash
# evidence create, append, list, show, follow, checkpoint: what they do, what they refuse and how, several
# processes at once, and a process that dies while it appends.
# shellcheck disable=SC2154,SC2317 # $out and $err come from lib.sh; functions are called through ok
. "$(dirname "$0")/../lib.sh"
unset TG_EVIDENCE

ev() { tensorguard evidence "$@"; }
records() { cat -- "$1"/segments/*.jsonl; } # LOG
size() { records "$1" | wc -l; }
from() { # FILE COMMAND...: with it as standard input
	local in=$1
	shift
	"$@" <"$in"
}
note_event() { printf '{"event_type":"NOTE_ADDED","note":"%s"}\n' "$@"; }
has_size() { [ "$(size "$1")" -eq "$2" ]; } # LOG NUMBER
soon() { # COMMAND...: within some seconds it succeeds
	local i
	for ((i = 0; i < 200; i++)); do
		! "$@" || return 0
		sleep 0.05
	done
	return 1
}

# ---- the verb ----

ok 'the verb explains itself' tensorguard evidence -h
has 'it names its commands' out '  checkpoint  sign the log as it is now'
exits 64 'a command is needed' tensorguard evidence
exits 64 'one that is there' tensorguard evidence bogus
has 'it says which' err '"bogus" is no command'
for c in create append list show follow checkpoint prove verify export witness; do
	ok "$c explains itself" ev $c -h
	has '  with its synopsis' out "usage: tensorguard evidence $c "
	ok '  --help too' ev $c --help
	exits 64 "$c: no argument" ev $c
	has '  it says where to look' err "(try 'tensorguard evidence $c -h') (usage)"
	exits 64 "$c: an option that it has not" ev $c --bogus
done

# ---- create ----

ok 'a log' ev create log --origin example.com/fleet-7
has 'it says where its public keys are' out 'log/log.policy'
has 'that its private key is unprotected' out 'log/log.priv (unprotected'
is 'the private key is private' "$(stat -c %a log/log.priv)" 600
is 'it has one record' "$(size log)" 1
has 'which begins it' log/segments/00000000000000000000.jsonl '"event_type":"LOG_CREATED"'
has 'and names it' log/segments/00000000000000000000.jsonl '"log_origin":"example.com/fleet-7"'
is 'the policy: two keys, no witness' "$(cut -d ' ' -f 1 log/log.policy | xargs)" 'log log quorum'
cp -r log before
exits 5 'no log is made over it' ev create log --origin example.com/other
has 'it says which is there' err 'there is a log already, "example.com/fleet-7"'
ok 'nothing has changed' diff -r log before
rm -r before
ok 'as JSON' ev create j --origin example.com/j --json
is 'one line of it' "$(cat "$out")" '{"origin":"example.com/j","records":1}'
for origin in '' 'two words' a+b $'a\tb' "$(printf 'x%.0s' {1..256})" $'\xff'; do
	exits 64 "an origin is no '${origin:0:20}'" ev create bad --origin "$origin"
	is '  nothing is made' "$(ls -d bad 2>/dev/null)" ''
done
ok 'an origin of 255 bytes' ev create long --origin "$(printf 'x%.0s' {1..255})"
exits 64 'an origin is needed' ev create bad
exits 64 'one folder' ev create a b --origin example.com/x
exits 66 'in a place that is there' ev create absent/deep --origin example.com/x
: >file
exits 74 'a file is no folder' ev create file --origin example.com/x

ok 'a key of its own' tensorguard keygen --type log --out own --no-passphrase
ok 'a log with it' ev create mine --origin example.com/mine --log-key own/log.priv
is 'which is not copied' "$(ls mine)" "$(printf '%s\n' lock log.policy segments tail tree)"
exits 64 'a signing key is none' bash -c 'tensorguard keygen --type signing --out own --no-passphrase >/dev/null &&
	tensorguard evidence create bad --origin example.com/x --log-key own/signing.priv'
exits 64 'a public key neither' ev create bad --origin example.com/x --log-key own/log.pub
exits 66 'one that is not there' ev create bad --origin example.com/x --log-key own/absent.priv
is 'nothing was made of these' "$(ls -d bad 2>/dev/null)" ''
echo 'a phrase' >phrase && echo 'another' >wrong
ok 'a key with a passphrase' ev create secret --origin example.com/secret --passphrase-file phrase
lacks 'is not called unprotected' out unprotected
lacks 'and is protected' secret/log.priv '"private":{"classic"'
exits 3 'it does not open with another' ev checkpoint secret --passphrase-file wrong
ok 'but with this one' ev checkpoint secret --passphrase-file phrase
mkdir half && cp own/log.priv half/
ok 'a key that an interrupted creation has left' ev create half --origin example.com/half
same 'is taken' half/log.priv own/log.priv

# ---- append ----

ok 'a note' ev append log --note 'fleet 7 "accepted" ä'
is 'it says which record it is' "$(cat "$out")" 'log: record 1'
has 'the record' <(records log) '"note":"fleet 7 \"accepted\" ä"'
has 'is by the login user' <(records log) "\"actor\":{\"id\":\"uid:$(id -u)\""
ok 'as JSON' ev append log --note two --json
is '  what it says' "$(sed -E 's/"[0-9a-f-]{36}"/ID/' "$out")" '{"appended":1,"last_event_id":ID,"last_sequence":2}'
ok 'for another tenant' ev append log --note three --tenant north
has '  it is in the record' <(records log | tail -n 1) '"tenant_id":"north"'
cat >events <<'T'
{"event_type":"NOTE_ADDED","note":"a","fleet_id":"f1","agent_id":"robot 1"}
 { "note" : "\u0062", "event_type": "NOTE_ADDED", "actor": {"type": "service", "id": "cron"} }
{"event_type":"MODEL_DEPLOYED","subject":{"model_ref":"net"},"result":{"status":"success"},"metrics":{"n":1,"loss":"0.25"}}
{"event_type":"KEY_RELEASE_DENIED","subject":{"key_id":"x"},"result":{"status":"denied","code":"policy"},"event_id":"01234567-89ab-4cde-8f01-23456789abcd"}
T
ok 'a file of events' ev append log events
is 'it counts them' "$(cat "$out")" 'log: 4 records, up to 7'
has 'they are canonical' <(records log) '{"id":"cron","type":"service"},"event_id"'
has 'an event keeps its id' <(records log | tail -n 1) '"event_id":"01234567-89ab-4cde-8f01-23456789abcd"'
ok 'events from standard input' from events ev append log -
printf '{"event_type":"NOTE_ADDED","note":"no newline"}' >events
ok 'the last line needs no newline' ev append log events
printf '{"event_type":"NOTE_ADDED","note":"from DOS"}\r\n' >events
ok 'and may end as in DOS' ev append log events
is 'all are there' "$(size log)" 14

refused() { # CODE NAME TEXT: a file with these bytes, of which nothing is appended
	local n
	n=$(size log)
	printf '%b' "$3" >bad.jsonl
	exits "$1" "refused: $2" ev append log bad.jsonl
	is '  and nothing appended' "$(size log)" "$n"
}
refused 65 'nothing' ''
refused 65 'an empty line' '\n'
refused 65 'no JSON' 'hello\n'
refused 65 'an array' '[1]\n'
refused 65 'two objects in a line' '{"event_type":"NOTE_ADDED","note":"a"}{}\n'
refused 65 'half an object' '{"event_type":"NOTE_ADDED"\n,"note":"a"}\n'
refused 65 'no type' '{"note":"a"}\n'
refused 65 'a type that is none' '{"event_type":"NOPE","note":"a"}\n'
has '  it says where they are listed' err 'line 1: event: "NOPE" is no event type (docs/PROTOCOL.evidence.md'
refused 65 'a member of another type' '{"event_type":"NOTE_ADDED","note":"a","result":{"status":"success"}}\n'
has '  it says which' err '"result" has no place in NOTE_ADDED'
refused 65 'a member that is not there' '{"event_type":"MODEL_DEPLOYED","subject":{"model_ref":"x"}}\n'
refused 65 'a member that the log sets' '{"event_type":"NOTE_ADDED","note":"a","sequence":99}\n'
refused 65 'a time of its own' '{"event_type":"NOTE_ADDED","note":"a","timestamp":1}\n'
refused 65 'a chain of its own' '{"_chain":{},"event_type":"NOTE_ADDED","note":"a"}\n'
refused 65 'a member twice' '{"event_type":"NOTE_ADDED","note":"a","note":"b"}\n'
refused 65 'an id that is none' '{"event_type":"NOTE_ADDED","note":"a","event_id":"1"}\n'
refused 65 'another result' '{"event_type":"MODEL_DEPLOYED","subject":{"model_ref":"x"},"result":{"status":"fine"}}\n'
refused 65 'a fraction' '{"event_type":"MODEL_DEPLOYED","subject":{"model_ref":"x"},"result":{"status":"success"},"metrics":{"a":0.5}}\n'
refused 65 'an empty text' '{"event_type":"NOTE_ADDED","note":""}\n'
refused 65 'a control character' '{"event_type":"NOTE_ADDED","note":"a\\u001b[2J"}\n'
refused 65 'a NUL that is spelled out' '{"event_type":"NOTE_ADDED","note":"a\\u0000"}\n'
refused 65 'a NUL' '{"event_type":"NOTE_ADDED","note":"a\0"}\n'
refused 65 'NULs alone' '\0\0\0\n'
refused 65 'what is not UTF-8' '{"event_type":"NOTE_ADDED","note":"a\0377"}\n'
refused 65 'half a surrogate' '{"event_type":"NOTE_ADDED","note":"\\ud800"}\n'
refused 65 'a text too long' "{\"event_type\":\"NOTE_ADDED\",\"note\":\"$(printf 'x%.0s' {1..8193})\"}\n"
refused 65 'a line too long' "{\"event_type\":\"NOTE_ADDED\",\"note\":\"$(head -c 70000 /dev/zero | tr '\0' x)\"}\n"
has '  it says so' err 'line 1: longer than 65535 bytes (limit)'
refused 65 'nested too deep' "{\"event_type\":\"NOTE_ADDED\",\"note\":$(printf '[%.0s' {1..2000})\n"
exits 65 'a line without an end' bash -c 'head -c 3000000 /dev/zero | tr "\0" x | tensorguard evidence append log -'
has '  it says so' err 'standard input: line 1: longer than'
exits 65 'a note without text' ev append log --note ''
exits 65 'a note of two lines' ev append log --note $'a\nb'
exits 64 'a note that is not UTF-8' ev append log --note $'\xff'
exits 65 'a tenant that is none' ev append log --note x --tenant ''
exits 64 'a note and a file' ev append log events --note x
exits 66 'a file that is not there' ev append log absent
exits 74 'a folder' ev append log log
exits 66 'a log that is not there' ev append absent --note x
mkdir empty
exits 66 'a folder without a log' ev append empty --note x
has '  it says how one is made' err "('tensorguard evidence create' makes one)"
is '  and is left empty' "$(ls -A empty)" ''
is 'nothing of these was appended' "$(size log)" 14

{ note_event one two && echo broken && note_event four; } >events
exits 65 'a bad line in the middle' ev append log events
has 'names the line, and what is kept' err 'events: line 3: byte 0: value expected (appended before it: 2 records) (format)'
is 'what stands before it' "$(size log)" 16
{ note_event one && echo broken; } >events
exits 65 'behind one good line' from events ev append log -
has 'is told in the singular' err '(appended before it: 1 record)'

mkfifo pipe
tensorguard evidence append log - <pipe >/dev/null &
appender=$!
exec 5>pipe
note_event 'as it comes' >&5
ok 'what a pipe brings is there at once' soon grep -q 'as it comes' log/segments/*.jsonl
exits 75 'others wait, and not for ever' ev append log --note x
exec 5>&-
ok 'the pipe ends' wait $appender

seq 300 | sed 's/.*/{"event_type":"NOTE_ADDED","note":"first &"}/' >first
seq 300 | sed 's/.*/{"event_type":"NOTE_ADDED","note":"second &"}/' >second
n=$(size log)
ev append log first >/dev/null &
one=$!
ev append log second >/dev/null &
two=$!
ok 'two at once: one' wait $one
ok '  and the other' wait $two
is '  all are there' "$(size log)" $((n + 600))
ok '  and the log is in order' ev verify log

mkfifo crash
n=$(size log)
tensorguard evidence append log - <crash >/dev/null &
appender=$!
exec 5>crash
note_event answered >&5
ok 'a record is durable' soon has_size log $((n + 1))
kill -9 $appender
{ wait $appender; } 2>/dev/null
exec 5>&-
is 'a process that dies takes none of it along' "$(size log)" $((n + 1))
printf '{"_chain":{"chain_hash":"half a rec' >>log/segments/00000000000000000000.jsonl
ok 'verify calls what it leaves behind unfinished' ev verify log
has '  and says how much' out '35 bytes at the end: a write that was interrupted'
ok 'the next one goes on' ev append log --note 'after the crash'
has '  and says what was cut off' <(records log | tail -n 2) '"event_type":"LOG_RECOVERED"'
has '  how much' <(records log | tail -n 2) '"bytes":35'
has '  and which' <(records log | tail -n 2) \
	"\"sha256\":\"$(printf '{"_chain":{"chain_hash":"half a rec' | sha256sum | cut -d ' ' -f 1)\""
ok '  the log is in order' ev verify log
cp -r log hurt
sed -i '6s/cron/CRON/' hurt/segments/00000000000000000000.jsonl
rm hurt/tail
cp -r hurt hurt2
exits 65 'a damaged log takes nothing' ev append hurt --note x
ok '  and is left alone' diff -r hurt hurt2

# ---- list ----

ok 'a log to be searched' ev create s --origin example.com/s
cat >events <<'T'
{"event_type":"NOTE_ADDED","note":"a","fleet_id":"f1","agent_id":"robot 1","tenant_id":"north"}
{"event_type":"NOTE_ADDED","note":"b","fleet_id":"f2","actor":{"type":"service","id":"cron"}}
{"event_type":"MODEL_DEPLOYED","subject":{"model_ref":"net"},"result":{"status":"success"},"fleet_id":"f1"}
{"event_type":"KEY_RELEASE_DENIED","subject":{"key_id":"x"},"result":{"status":"denied","code":"policy"},"event_id":"01234567-89ab-4cde-8f01-23456789abcd"}
T
ok 'with four events' ev append s events
listed() { # NAME NUMBERS OPTION...: exactly these records, in this order
	local name=$1 want=$2
	shift 2
	run tensorguard evidence list s "$@"
	is "list: $name" "$(awk '{ print $1 }' "$out" | xargs)" "$want"
}
listed 'all' '0 1 2 3 4'
has '  with time, type, actor, result and subject' <(tr -s ' ' <"$out") 'Z KEY_RELEASE_DENIED'
has '  the actor' <(tr -s ' ' <"$out") 'Z NOTE_ADDED cron b'
has '  the result' <(tr -s ' ' <"$out") ' policy denied x'
listed 'a type' '1 2' --type NOTE_ADDED
listed 'a result' 4 --result denied
listed 'a tenant' 1 --tenant north
listed 'an actor' 2 --actor cron
listed 'a fleet' '1 3' --fleet f1
listed 'an agent' 1 --agent 'robot 1'
listed 'a fleet and a type' 3 --fleet f1 --type MODEL_DEPLOYED
listed 'nothing' '' --fleet f1 --type LOG_CREATED
is '  is no failure' "$code" 0
listed 'the first two' '0 1' --limit 2
listed 'the newest two' '4 3' --limit 2 --newest-first
listed 'from a time on' '0 1 2 3 4' --since 2020-01-01T00:00:00Z
listed 'before it' '' --until 2020-01-01T00:00:00Z
listed 'from one that is to come' '' --since 9000000000
listed 'another quote' '' --type "x' OR '1'='1"
exits 64 'no time' ev list s --since yesterday
exits 64 'a time too late' ev list s --since 9007199254740991
exits 64 'no number' ev list s --limit -1
run ev list s --json
is 'as JSON: the records' "$(cat "$out")" "$(records s)"
is 'the index is private' "$(stat -c %a s/index.db)" 600
rm s/index.db
listed 'without its index' '0 1 2 3 4'
ok 'one more record' ev append s --note c
listed 'with one that is behind' '0 1 2 3 4 5'
cp s/index.db old.db
ok 'another log in its place' bash -c 'rm -r s/segments s/tree s/tail s/log.policy &&
	tensorguard evidence create s --origin example.com/s2 && tensorguard evidence append s --note new'
listed 'an index that is of another log is made anew' '0 1'
listed '  all of it' '' --fleet f1
printf 'garbage' | dd of=s/index.db conv=notrunc status=none
exits 65 'a damaged index' ev list s
has '  may be deleted' err 'it may be deleted: it is made again from the log'
rm -f s/index.db*
listed '  and is made again' '0 1'
rm -f s/index.db*
exits 65 'no index elsewhere' ev list s --index events
ok 'an index elsewhere' ev list s --index elsewhere.db
is '  none in the log' "$(find s -name 'index*')" ''
exits 66 'a log that is not there' ev list absent
exits 66 'a folder without one' ev list empty
is '  gets no index' "$(ls -A empty)" ''
cp -r log bent && rm -f bent/index.db*
sed -i '6s/cron/CRON/' bent/segments/00000000000000000000.jsonl
exits 3 'a damaged record is not listed' ev list bent
has '  but named' err 'bent: record 5: '

# ---- show ----

ok 'a record' ev show log 7
has 'every member on a line' out 'event_id           01234567-89ab-4cde-8f01-23456789abcd'
ok 'the same by its id' ev show log 01234567-89ab-4cde-8f01-23456789abcd
has '  it is the first that has it' out 'sequence           7'
ok 'as JSON' ev show log 7 --json
is '  it is the record' "$(cat "$out")" "$(records log | sed -n 8p)"
ok 'by id, with an index elsewhere' ev show log 01234567-89ab-4cde-8f01-23456789abcd --index x.db
exits 66 'a number that is not there' ev show log 99999
exits 66 'an id that is not there' ev show log 11234567-89ab-4cde-8f01-23456789abcd
exits 64 'neither' ev show log seven
exits 66 'a folder without a log' ev show empty 0
exits 3 'a damaged record' ev show bent 5

# ---- follow ----

ok 'all there is' ev follow log --all --once --json
is '  is all there is' "$(cat "$out")" "$(records log)"
exits 64 '--once alone' ev follow log --once
exits 66 'a folder without a log' ev follow empty --all --once
exits 3 'a damaged log' ev follow bent --all --once
has '  is named' err 'bent: record 5: '
is '  up to what is damaged' "$(wc -l <"$out")" 5
tensorguard evidence follow log >followed 2>followed.err &
follower=$!
sleep 0.5
ok 'another process appends' ev append log --note 'seen by who follows'
ok 'it is seen' soon grep -q 'seen by who follows' followed
is '  and nothing that was there before' "$(wc -l <followed)" 1
ok 'again' from first ev append log -
ok '  all of it' soon grep -q 'first 300' followed
kill -TERM $follower
ok 'SIGTERM ends it' wait $follower
is '  without a word' "$(cat followed.err)" ''
ev follow log --all >/dev/full 2>/dev/null
is 'a full disk ends it' $? 74

# ---- checkpoint ----

exits 66 'no checkpoint yet' ev checkpoint s --newest
has '  it says how one is made' err "('tensorguard evidence checkpoint' makes one)"
ok 'a checkpoint' ev checkpoint log
has '  it counts' out "log: checkpoint of $(size log) records"
is '  it is there' "$(ls log/checkpoints)" "$(printf %020d "$(size log)")"
cp log/checkpoint c1
ok 'another of the same' ev checkpoint log
same '  is the same' log/checkpoint c1
ok 'into a file' ev checkpoint log --out c2
same '  it is that' c2 c1
ok 'to standard output' ev checkpoint log --newest --out -
same '  it alone' "$out" c1
ok 'as JSON' ev checkpoint log --newest --json
has '  with its size' out "\"origin\":\"example.com/fleet-7\",\"root\":\""
has '  and root' out "\"root\":\"$(sed -n 3p c1 | base64 -d | xxd -p -c 64)\",\"size\":$(size log)}"
ok 'a short one' ev checkpoint log --print
cp "$out" short
ok '  of 400 bytes at most' test "$(wc -c <short)" -le 400
{ sed -n 1p log/log.policy && echo quorum none; } >ed25519.policy
ok '  verifies with the Ed25519 key' ev verify log --policy ed25519.policy --checkpoint short
exits 3 '  but not for who knows the other one' ev verify log --policy log/log.policy --checkpoint short
has '  since it lacks that' err 'without its post-quantum signature'
exits 64 'short, and as JSON' ev checkpoint log --print --json
ok 'a log with a key elsewhere' ev checkpoint mine --log-key own/log.priv
exits 66 'a key that is not in the log' ev checkpoint mine
has '  it says which option names it' err '--log-key FILE.priv names the log'
exits 4 'a key that is not the log'\''s' ev checkpoint log --log-key own/log.priv
same '  changes nothing' log/checkpoint c1
exits 64 'a public key' ev checkpoint mine --log-key own/log.pub
exits 64 'no time-out' ev checkpoint log --timeout 0
exits 66 'a folder without a log' ev checkpoint empty
exits 66 'a policy that is not there' ev checkpoint log --policy absent
exits 65 'a policy that is none' ev checkpoint log --policy events
cp -r log cut
sed -i '$d' cut/segments/00000000000000000000.jsonl
exits 65 'a log that was cut back signs nothing' ev checkpoint cut
has '  it says why' err 'the end is missing'
ok 'the log is as it should be' ev verify log --policy log/log.policy

done_testing

#!/bin/bash
# evidence witness, and evidence checkpoint --policy: cosignatures, quorums, a witness that is down, starts
# again or has seen another log, and what is asked of it that makes no sense.
# shellcheck disable=SC2154,SC2317 # $out and $err come from lib.sh; functions are called through ok
. "$(dirname "$0")/../lib.sh"
unset TG_EVIDENCE

ev() { tensorguard evidence "$@"; }
soon() { # COMMAND...: within some seconds it succeeds
	local i
	for ((i = 0; i < 200; i++)); do
		! "$@" || return 0
		sleep 0.05
	done
	return 1
}
declare -A pid
serve() { # NAME OPTION...: in the background; its URL goes to NAME.url
	local name=$1
	shift
	rm -f "$name.url"
	tensorguard evidence witness serve --name "witness.example/$name" --key "$name/witness.priv" \
		--logs known --state "$name/seen" "$@" >"$name.url" 2>>"$name.err" &
	pid[$name]=$!
	soon test -s "$name.url"
}
stop() { # NAME
	kill -TERM "${pid[$1]}" && wait "${pid[$1]}"
}
port() { sed 's|.*:\([0-9]*\)/$|\1|' "$1.url"; } # NAME
# HTTP without help: NAME METHOD PATH [BODY-FILE]; the answer is in `answer`, its status in $status
http() {
	local body=${4:-/dev/null}
	exec 6<>"/dev/tcp/127.0.0.1/$(port "$1")" || return 1
	{ printf '%s %s HTTP/1.1\r\nHost: w\r\nContent-Length: %s\r\n\r\n' "$2" "$3" "$(wc -c <"$body")" && cat "$body"; } >&6
	cat <&6 >answer
	exec 6>&-
	status=$(sed -n '1s/^HTTP\/1.1 \([0-9]*\) .*/\1/p' answer)
}
body() { sed '1,/^\r$/d' answer; } # of the answer
lines() { grep -c '^— witness' log/checkpoint; }

ok 'a log' ev create log --origin example.com/log
ok 'a note' ev append log --note one
ok 'another log' ev create other --origin example.com/other
for w in w1 w2; do
	ok "a key for $w" tensorguard keygen --type witness --out $w --no-passphrase
done
cp log/log.policy known

# ---- keys ----

ok 'its lines for a policy' ev witness keys --name witness.example/w1 --key w1/witness.pub
is 'two keys and a group' "$(cut -d ' ' -f 1,2 "$out")" "witness witness.example/w1-ed25519
witness witness.example/w1-mldsa44
group witness.example/w1"
ok 'they begin as those of a witness do' grep -qE '^witness [^ ]*ed25519 witness.example/w1\+[0-9a-f]{8}\+B' \
	<(ev witness keys --name witness.example/w1 --key w1/witness.pub)
ok 'from the private key' ev witness keys --name witness.example/w1 --key w1/witness.priv --url http://127.0.0.1:1/
has 'with a URL' out ' http://127.0.0.1:1/'
ok 'as JSON' ev witness keys --name witness.example/w1 --key w1/witness.pub --json
has 'both' out '{"ed25519":"witness.example/w1+'
has 'in one object' out '","mldsa44":"witness.example/w1+'
exits 65 'a URL that is none' ev witness keys --name witness.example/w1 --key w1/witness.pub --url 'http://a b/'
exits 65 'a name that is none' ev witness keys --name 'a b' --key w1/witness.pub
exits 65 'nor to serve under' ev witness serve --name 'a b' --key w1/witness.priv --logs known --state bad
exits 66 'no key' ev witness keys --name w --key absent
exits 64 'a key for something else' bash -c 'tensorguard keygen --type signing --out k --no-passphrase >/dev/null &&
	tensorguard evidence witness keys --name w --key k/signing.pub'
exits 64 'no name' ev witness keys --key w1/witness.pub
exits 64 'something else than serve and keys' ev witness run --name w --key w1/witness.priv

# ---- serve: what it needs ----

s=(ev witness serve --name witness.example/w1 --key w1/witness.priv)
exits 64 'no logs' "${s[@]}" --state w1/seen
exits 64 'no state' "${s[@]}" --logs known
exits 66 'logs that are not there' "${s[@]}" --logs absent --state w1/seen
exits 65 'logs that are none' "${s[@]}" --logs w1/witness.pub --state w1/seen
exits 64 'the public key' ev witness serve --name w --key w1/witness.pub --logs known --state w1/seen
exits 64 'an address without a port' "${s[@]}" --logs known --state w1/seen --listen 127.0.0.1
exits 64 'a port that is none' "${s[@]}" --logs known --state w1/seen --listen 127.0.0.1:99999
exits 4 'an address that others reach' "${s[@]}" --logs known --state w1/seen --listen 0.0.0.0:0
has 'needs a word' err 'or say that it is meant: --public-address'
exits 74 'a state that is a file' "${s[@]}" --logs known --state known
exits 64 'a URL' "${s[@]}" --logs known --state w1/seen --url http://a/

# ---- two witnesses ----

ok 'a witness serves' serve w1
ok 'another one' serve w2
ok 'it prints its URL' grep -qxE 'http://127\.0\.0\.1:[0-9]+/' w1.url
exits 75 'one memory has one witness' timeout 20 tensorguard evidence witness serve --name witness.example/w1 \
	--key w1/witness.priv --logs known --state w1/seen
exits 5 'a port has one' timeout 20 tensorguard evidence witness serve --name witness.example/w1 \
	--key w1/witness.priv --logs known --state elsewhere --listen "127.0.0.1:$(port w1)"
policy() { # NEED FILE
	grep ^log log/log.policy
	for w in w1 w2; do
		ev witness keys --name witness.example/$w --key $w/witness.pub --url "$(cat $w.url)"
	done
	echo "group ws $1 witness.example/w1 witness.example/w2"
	echo 'quorum ws'
}
policy 1 >need1
policy all >need2
exits 66 'a policy is no help without a checkpoint' ev checkpoint log --newest --policy need2
ok 'a checkpoint' ev checkpoint log
exits 3 'that nobody has cosigned' ev verify log --policy need2
has 'lacks the quorum' err '0 of the 2 cosignatures that ws needs'
ok 'two cosign it' ev checkpoint log --newest --policy need2
is '  with two keys each' "$(lines)" 4
ok '  the quorum is met' ev verify log --policy need2
same '  and kept' log/checkpoint log/checkpoints/00000000000000000002
ok '  a proof carries them' ev prove log 1 --with-record --out p.tlog-proof
ok '  and verifies' ev verify --proof p.tlog-proof --policy need2
ok '  an export too' ev export log --out exported
ok '  and verifies' ev verify exported --policy need2
for i in 1 2 3; do
	ok 'asked again, they cosign again' ev checkpoint log --policy need2
	is '  each line once' "$(lines)" 4
done
ok 'the log grows' ev append log --note two
ok 'and is cosigned' ev checkpoint log --policy need2 --out note
is 'the note has all of it' "$(grep -c '^—' note)" 6
ok 'in the short form' ev checkpoint log --policy need2 --print
is '  is the log alone' "$(grep -c '^—' "$out")" 1
is 'no witness has complained' "$(cat w1.err w2.err)" ''

# ---- one is down ----

ok 'SIGTERM ends a witness' stop w2
ok 'the log grows' ev append log --note three
ok 'one of two is enough for this policy' ev checkpoint log --policy need1
has '  who is missing is said' err 'note: witness witness.example/w2-ed25519: '
has '  and why' err 'cannot connect: Connection refused'
is '  one has cosigned' "$(lines)" 2
ok 'the log grows' ev append log --note four
exits 74 'but not for that one' ev checkpoint log --policy need2
has '  the checkpoint is signed, though' err 'the checkpoint is signed, but: '
has '  what is missing' err '1 of the 2 cosignatures that ws needs'
is '  it is there' "$(sed -n 2p log/checkpoint)" 5
is '  with what there is' "$(lines)" 2
exits 3 '  and does not verify' ev verify log --policy need2
ok '  but as before' ev verify log --policy need1
ok 'the witness is back' serve w2 --listen "127.0.0.1:$(grep -o '[0-9]*/$' <(grep -m 1 w2-ed need1) | tr -d /)"
ok '  and is asked for what it missed' ev checkpoint log --newest --policy need2
is '  it adds its own' "$(lines)" 4
ok '  now it verifies' ev verify log --policy need2
exits 74 'a witness that never answers' bash -c 'sed "s|http://127.0.0.1:[0-9]*/|http://192.0.2.1:9/|" need2 >gone
	tensorguard evidence append log --note x >/dev/null && tensorguard evidence checkpoint log --policy gone --timeout 1'
sed 's|http:|https:|' need2 >tls
exits 69 'there is no TLS' ev checkpoint log --newest --policy tls
sed 's| http:.*||' need2 >nobody
exits 3 'nobody to be asked' ev checkpoint log --newest --policy nobody

# ---- what it remembers ----

ok 'a checkpoint' ev checkpoint log --policy need2
size=$(sed -n 2p log/checkpoint)
hash=$(printf %s example.com/log | sha256sum | cut -d ' ' -f 1)
http w1 GET "/$hash/checkpoint"
is 'GET gives the last one' "$status" 200
is '  of the log' "$(body | head -n 2 | xargs)" "example.com/log $size"
body >seen
ok '  which an auditor can use' ev verify log --policy need1 --checkpoint seen
stop w1
ok 'it starts again' serve w1 --listen "127.0.0.1:$(grep -o '[0-9]*/$' <(grep -m 1 w1-ed need1) | tr -d /)"
http w1 GET "/$hash/checkpoint"
body >seen2
same 'and knows what it knew' seen seen2
sed '/^$/q' log/checkpoint >request.note && grep '^— example' log/checkpoint >>request.note
{ echo 'old 0' && echo && cat request.note; } >request
http w1 POST /add-checkpoint request
is 'who begins at nothing is told' "$status $(body)" "409 $size"
ok '  as a size' grep -qi '^content-type: text/x.tlog.size' answer
{ echo "old $size" && echo && cat request.note; } >request
http w1 POST /add-checkpoint request
is 'from there it cosigns' "$status" 200
is '  with two lines, and nothing else' "$(body | grep -c '^— witness.example/w1 ')/$(body | wc -l)" 2/2
{ echo "old $((size + 1))" && echo && cat request.note; } >request
http w1 POST /add-checkpoint request
is 'a tree that would shrink' "$status" 400
ok 'the log grows' ev append log --note five
ok 'and is cosigned by one who remembers' ev checkpoint log --policy need2

# ---- forks ----

cp -r log cut && rm -r cut/checkpoint* cut/tail cut/tree && sed -i '4,$d' cut/segments/*.jsonl
exits 3 'a log that was cut back' ev checkpoint cut --policy need1
has '  is found out' err 'it has seen 7 records of this log, which has signed 3: the log was cut, or there are two'
for i in 1 2 3 4 5 6; do ev append cut --note "other $i" >/dev/null; done
exits 3 'and grown again' ev checkpoint cut --policy need1
has '  too' err 'HTTP status 422: the log does not extend what it has seen'
has '  the witness says so' w1.err 'add-checkpoint: 422: '
is '  and has not signed' "$(grep -c '^— witness' cut/checkpoint)" 0
http w1 GET "/$hash/checkpoint"
is '  it remembers the one that it has seen' "$(body | sed -n 2p)" 7

# ---- what makes no sense to it ----

{ grep ^log other/log.policy && grep -v ^log need1; } >need-other
exits 3 'a log that it does not know' ev checkpoint other --policy need-other
has '  is told' err 'HTTP status 404: it does not know this log, or is no witness'
sed "s|http://[^ ]*|http://127.0.0.1:$(port w1)/elsewhere/|" need1 >path
cp -r log alone && grep -v '^— witness' log/checkpoint | tee alone/checkpoint >alone/checkpoints/00000000000000000007
exits 3 'a URL that leads elsewhere' ev checkpoint alone --newest --policy path
asked() { # STATUS NAME METHOD PATH [BODY-TEXT]
	printf '%b' "${5:-}" >text
	http w1 "$3" "$4" text
	is "$2" "$status" "$1"
}
asked 404 'no such hash' GET "/${hash//[0-9a]/f}/checkpoint"
lacks '  it does not say where it looked' answer seen
asked 404 'no hash' GET /x/checkpoint
asked 404 'its own folder' GET /../checkpoint
asked 404 'a file of it' GET /witness.lock/checkpoint
asked 404 'nothing' GET /
asked 405 'the wrong method' GET /add-checkpoint
asked 400 'no request' POST /add-checkpoint
asked 400 'half a request' POST /add-checkpoint 'old 0\n'
asked 400 'no number' POST /add-checkpoint "old x\n\n"
asked 400 'something else' POST /add-checkpoint 'hello\n\nworld\n'
head -c 2000000 /dev/zero >zeros
http w1 POST /add-checkpoint zeros
is 'too much of it' "$status" 413
sed 's/^[0-9][0-9]*$/8/' request.note >forged.note
{ echo 'old 7' && echo && cat forged.note; } >request
http w1 POST /add-checkpoint request
is 'a checkpoint that the log has not signed' "$status" 403
if command -v curl >/dev/null; then
	ok 'curl' curl -s -f -o seen3 "$(cat w1.url)$hash/checkpoint"
	is '  gets it' "$(sed -n 2p seen3)" 7
else
	skip 'curl is not here'
fi
exec 7<>"/dev/tcp/127.0.0.1/$(port w1)"
printf 'POST /add-ch' >&7
ok 'SIGTERM ends it, though somebody has not said all' stop w1
exec 7>&-
ok 'and SIGINT' bash -c "kill -INT ${pid[w2]}"
ok '  the other' wait "${pid[w2]}"
is 'a witness writes down nothing but what it has seen' "$(ls -A w1/seen)" "$hash"

done_testing

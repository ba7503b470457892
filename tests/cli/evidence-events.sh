#!/bin/bash
# What the verbs leave in an evidence log: the events of every success, refusal and failure, in order,
# and no result without its event.
# shellcheck disable=SC2154,SC2317 # $out and $err come from lib.sh; functions are called through ok
. "$(dirname "$0")/../lib.sh"
: "${TG_ONNXRUNTIME:=$repo/.deps/ort/lib/libonnxruntime.so}"
export TG_ONNXRUNTIME
unset TG_EVIDENCE

log() { # DIR: a new log
	tensorguard evidence create "$1" --origin "example.com/$1" >/dev/null || exit 1
}
records() { cat -- "$1"/segments/*.jsonl; }
size() { records "$1" | wc -l; }
# events since the last look, "TYPE STATUS CODE" each, in the file `types`; the records are in `new`
seen=1
look() {
	records ev | tail -n "+$((seen + 1))" >new
	seen=$((seen + $(wc -l <new)))
	sed -E 's/.*"event_type":"([A-Z_]+)".*"result":\{("code":"([a-z]+)".*,)?"status":"([a-z]+)"\}.*/\1 \4 \3/; s/ $//' new >types
}
left() { # EVENT...: exactly these have been recorded
	look
	is "  leaves ${*:-nothing}" "$(cat types)" "$(printf '%s\n' "$@")"
}
member() { # NAME TEXT: stands in every one of the last events
	is "  with $1" "$(grep -cF -e "$2" new)" "$(wc -l <new)"
}
key_id() { sed 's/.*"key_id":"\([0-9a-f]*\)".*/\1/' "$1"; } # KEY-FILE
hash_of() { tensorguard verify "$1" --trust k/signing.pub | awk -v n="$2" '$1 == n { print $2 }'; }

for who in k other; do
	tensorguard keygen --type both --out $who --no-passphrase >/dev/null || exit 1
done
head -c 150000 /dev/urandom >weights
mkdir model && cp weights model/weights.bin && echo 'a model' >model/README
log ev
e=(--evidence ev)
trust=(--trust k/signing.pub)
key=(--key k/encryption.priv)
build() { # OUT OPTION...
	local to=$1
	shift
	tensorguard build --input-dir model --out "$to" --signing-key k/signing.priv \
		--recipient k/encryption.pub --model-name 'perception net' --model-version 2.0 "$@"
}
verify() { tensorguard verify "$@" "${trust[@]}" "${e[@]}"; }
opens() { tensorguard open "$@" "${trust[@]}" "${e[@]}"; }
rekey() { tensorguard rekey "$@" --signing-key k/signing.priv "${trust[@]}" "${e[@]}"; }
keep() { tensorguard trust "$@" "${e[@]}"; }

# ---- without a log ----

ok 'no log, no events' build p.tgsp
left
ok 'an empty TG_EVIDENCE is none' env TG_EVIDENCE= tensorguard verify p.tgsp "${trust[@]}"
left

# ---- build ----

ok 'a package' build p.tgsp "${e[@]}" --json
left 'TGSP_BUILT success'
plain=$(sed 's/.*"plain_len":\([0-9]*\).*/\1/' "$out")
package=$(hash_of p.tgsp package_hash) content=$(hash_of p.tgsp content_hash)
member 'its hash' "\"package_hash\":\"$package\""
member "its contents'" "\"content_hash\":\"$content\""
member 'the manifest' '"manifest_hash":"'
member 'its measures' "\"metrics\":{\"files\":2,\"package_size\":$(stat -c %s p.tgsp),\"plain_len\":$plain,\"recipients\":1,\"tensors\":0}"
member 'what it is, and whose' \
	"\"subject\":{\"key_id\":\"$(key_id k/signing.pub)\",\"model_ref\":\"perception net\",\"model_version\":\"2.0\",\"tgsp_ref\":\"p.tgsp\"}"
member 'the login user' "\"actor\":{\"id\":\"uid:$(id -u)\""
recipients=$(sed 's/.*"recipients_hash":"\([0-9a-f]*\)".*/\1/' new)
printf '\200\002}q\000.' >model/evil.pkl
exits 4 'a file that runs code' build q.tgsp "${e[@]}"
left 'TGSP_BUILD_FAILED denied policy'
member 'the line that was printed' "\"reason\":\"$(sed 's/^tensorguard build: //; s/ ([a-z]*)$//; s/"/\\"/g' "$err")\""
member 'what was to be made' '"tgsp_ref":"q.tgsp"'
rm model/evil.pkl
exits 66 'an input folder that is not there' tensorguard build --input-dir absent --out q.tgsp \
	--signing-key k/signing.priv "${e[@]}"
left 'TGSP_BUILD_FAILED failure notfound'
mkdir taken
exits 74 'a name that cannot be given' build taken "${e[@]}"
left 'TGSP_BUILT success' 'TGSP_BUILD_FAILED failure io'
exits 64 'a wrong command line' tensorguard build --out q.tgsp "${e[@]}"
left
is 'nothing came of these' "$(ls -A taken)$([ -e q.tgsp ] && echo there)" ''

# ---- verify ----

ok 'verified' verify p.tgsp
left 'TGSP_VERIFY_SUCCEEDED success'
member 'the package' "\"package_hash\":\"$package\""
member 'its recipients' "\"recipients_hash\":\"$recipients\""
member 'how' "\"detail\":{\"author_key_id\":\"$(key_id k/signing.pub)\",\"deep\":false,\"policy_met\":true}"
ok 'deep' verify p.tgsp --deep "${key[@]}"
left 'TGSP_DEK_UNWRAP_SUCCEEDED success' 'TGSP_VERIFY_SUCCEEDED success'
member 'the key that was tried' "\"subject\":{\"key_id\":\"$(key_id k/encryption.pub)\","
ok 'through a pipe' bash -c 'tensorguard verify - --trust k/signing.pub --evidence ev <p.tgsp'
left 'TGSP_VERIFY_SUCCEEDED success'
member 'no name' '"tgsp_ref":"-"'
exits 3 'not trusted' tensorguard verify p.tgsp --trust other/signing.pub "${e[@]}"
left 'TGSP_VERIFY_FAILED denied auth'
member 'the hash of what was there' "\"package_hash\":\"$package\""
is '  without what it says of itself' "$(grep -cE 'perception|content_hash|author_key_id' new)" 0
exits 66 'a file that is not there' verify absent.tgsp
left 'TGSP_VERIFY_FAILED failure notfound'
member 'its name alone' '"subject":{"tgsp_ref":"absent.tgsp"}'
exits 65 'no package' verify weights
left 'TGSP_VERIFY_FAILED failure format'
cp p.tgsp bad.tgsp
at=$(tensorguard inspect p.tgsp | awk '$1 == "ciphertext" { print $2 }')
was=$(od -An -tu1 -j "$at" -N 1 p.tgsp)
# shellcheck disable=SC2059
printf "\\$(printf %03o $(((was + 1) % 256)))" | dd of=bad.tgsp bs=1 seek="$at" conv=notrunc status=none
exits 3 'a changed chunk' verify bad.tgsp
left 'TGSP_VERIFY_FAILED denied auth'
member 'the package that it was' "\"package_hash\":\"$package\""
build old.tgsp --not-after 1600000000 >/dev/null || exit 1
ok 'expired, and only reported' verify old.tgsp
left 'TGSP_VERIFY_SUCCEEDED success'
member 'that' '"policy_met":false'
exits 4 'expired, with --policy' verify old.tgsp --policy
left 'TGSP_VERIFY_FAILED denied policy'
exits 4 'deep, with a key it is not for' verify p.tgsp --deep --key other/encryption.priv
left 'TGSP_DEK_UNWRAP_FAILED denied policy' 'TGSP_VERIFY_FAILED denied policy'
if [ -w /dev/full ]; then
	exits 74 'a report that cannot be printed' bash -c \
		'tensorguard verify p.tgsp --trust k/signing.pub --evidence ev >/dev/full'
	left 'TGSP_VERIFY_SUCCEEDED success'
fi

# ---- open ----

allowed=('TGSP_DEK_UNWRAP_SUCCEEDED success' 'TGSP_OPEN_ALLOWED success')
ok 'opened' opens p.tgsp "${key[@]}" --out o
left "${allowed[@]}"
member 'where to' '"path":"o"'
has '  how much' new "\"metrics\":{\"bytes\":$plain}"
exits 5 'what is there already' opens p.tgsp "${key[@]}" --out o
left "${allowed[@]}" 'TGSP_OPEN_DENIED failure conflict'
ok 'one file' opens p.tgsp "${key[@]}" --file README r
left "${allowed[@]}"
has '  which' new "\"detail\":{\"author_key_id\":\"$(key_id k/signing.pub)\",\"name\":\"README\",\"part\":\"file\"}"
exits 5 'one that is there already' opens p.tgsp "${key[@]}" --file README r
left 'TGSP_DEK_UNWRAP_SUCCEEDED success' 'TGSP_OPEN_DENIED failure conflict'
exits 66 'one that is not in it' opens p.tgsp "${key[@]}" --file absent r2
left 'TGSP_DEK_UNWRAP_SUCCEEDED success' 'TGSP_OPEN_DENIED failure notfound'
ok 'as a stream' opens p.tgsp "${key[@]}" --tar
left "${allowed[@]}"
member 'to standard output' '"path":"-"'
exits 4 'a key it is not for' opens p.tgsp --key other/encryption.priv --out o2
left 'TGSP_DEK_UNWRAP_FAILED denied policy' 'TGSP_OPEN_DENIED denied policy'
member 'which key' "\"key_id\":\"$(key_id other/encryption.pub)\""
exits 3 'not trusted' tensorguard open p.tgsp "${key[@]}" --trust other/signing.pub --out o2 "${e[@]}"
left 'TGSP_OPEN_DENIED denied auth'
exits 4 'expired' opens old.tgsp "${key[@]}" --out o2
left 'TGSP_OPEN_DENIED denied policy'
exits 66 'no such key' opens p.tgsp --key absent.priv --out o2
left 'TGSP_OPEN_DENIED failure notfound'
exits 66 'no such package' opens absent.tgsp "${key[@]}" --out o2
left 'TGSP_OPEN_DENIED failure notfound'
exits 3 'a changed chunk' opens bad.tgsp "${key[@]}" --out o2
left "${allowed[@]}" 'TGSP_OPEN_DENIED denied auth'
mkdir floors
ok 'with a floor' opens p.tgsp "${key[@]}" --out o3 --state floors
left "${allowed[@]}"
is 'nothing came of what was refused' "$([ -e o2 ] && echo there)$([ -e r2 ] && echo there)" ''

# ---- rekey ----

ok 'another recipient' rekey p.tgsp "${key[@]}" --add other/encryption.pub --out q.tgsp
left 'TGSP_REKEYED success'
member 'the same package' "\"package_hash\":\"$package\""
is '  with other recipients' "$(grep -c "\"recipients_hash\":\"$recipients\"" new)" 0
member 'how many' "\"metrics\":{\"added\":1,\"package_size\":$(stat -c %s q.tgsp),\"recipients\":2,\"removed\":0}"
member 'from where to where' "\"key_id\":\"$(key_id k/signing.pub)\",\"model_ref\":\"perception net\",\"model_version\":\"2.0\",\"path\":\"q.tgsp\",\"tgsp_ref\":\"p.tgsp\""
recipients=$(sed 's/.*"recipients_hash":"\([0-9a-f]*\)".*/\1/' new)
ok 'is what a reader finds' verify q.tgsp
left 'TGSP_VERIFY_SUCCEEDED success'
member 'these recipients' "\"recipients_hash\":\"$recipients\""
cp q.tgsp was.tgsp
exits 4 'a key it is not for' rekey old.tgsp --key other/encryption.priv --add other/encryption.pub
left 'TGSP_REKEY_DENIED denied policy'
exits 66 'nobody to remove' rekey q.tgsp "${key[@]}" --remove "$(printf '%032d' 0)"
left 'TGSP_REKEY_DENIED failure notfound'
exits 74 'a name that cannot be given' rekey q.tgsp "${key[@]}" --add other/encryption.pub --out taken
left 'TGSP_REKEYED success' 'TGSP_REKEY_DENIED failure io'
same 'the package is as it was' q.tgsp was.tgsp

# ---- trust ----

ok 'a key into a store' keep add t.json k/signing.pub --label 'vision "team"' --not-after 4000000000
left 'TRUST_CHANGED success'
member 'which and where' "\"subject\":{\"key_id\":\"$(key_id k/signing.pub)\",\"path\":\"t.json\"}"
member 'how' '"detail":{"change":"add","entries":1,"label":"vision \"team\"","not_after":4000000000,"role":"author"}'
exits 5 'twice' keep add t.json k/signing.pub
left 'TRUST_CHANGE_DENIED failure conflict'
exits 66 'no key file' keep add t.json absent.pub
left 'TRUST_CHANGE_DENIED failure notfound'
exits 66 'one that is not in it' keep remove t.json "$(key_id other/signing.pub)"
left 'TRUST_CHANGE_DENIED failure notfound'
ok 'listing changes nothing' keep list t.json
left
ok 'out of it' keep remove t.json "$(key_id k/signing.pub)"
left 'TRUST_CHANGED success'
member 'how' '"detail":{"change":"remove","entries":0}'

# ---- run ----

predict() { tensorguard run "$@" "${trust[@]}" "${e[@]}"; }
exits 69 'no model in the package' predict p.tgsp "${key[@]}"
left 'TGSP_DEK_UNWRAP_SUCCEEDED success' 'MODEL_RUN_FAILED failure unsupported'
exits 4 'a key it is not for' predict p.tgsp --key other/encryption.priv
left 'TGSP_DEK_UNWRAP_FAILED denied policy' 'MODEL_RUN_FAILED denied policy'
exits 66 'no such package' predict absent.tgsp "${key[@]}"
left 'MODEL_RUN_FAILED failure notfound'
mkdir onnx
{ # y = Identity(x), two floats
	printf '\x08\x08\x3a\x37\x0a\x10\x0a\x01\x78\x12\x01\x79\x22\x08\x49\x64\x65\x6e\x74\x69\x74\x79\x12\x01'
	printf '\x67\x5a\x0f\x0a\x01\x78\x12\x0a\x0a\x08\x08\x01\x12\x04\x0a\x02\x08\x02\x62\x0f\x0a\x01\x79\x12'
	printf '\x0a\x0a\x08\x08\x01\x12\x04\x0a\x02\x08\x02\x42\x02\x10\x0d'
} >onnx/model.onnx
tensorguard build --input-dir onnx --out onnx.tgsp --signing-key k/signing.priv >/dev/null 2>&1 || exit 1
{
	printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }"
	printf '\x00\x00\x80\x3f\x00\x00\x20\x40'
} >x.npy
if [ -r "$TG_ONNXRUNTIME" ]; then
	done=('TGSP_DEK_UNWRAP_SUCCEEDED success' 'MODEL_RUN_COMPLETED success')
	ok 'a prediction' predict onnx.tgsp "${key[@]}" --input x=x.npy --output y=y.npy
	left "${done[@]}"
	has '  of which model' new '"model":"model.onnx"'
	has '  how many arrays' new '"metrics":{"inputs":1,"outputs":1}'
	exits 74 'an output that cannot be written' predict onnx.tgsp "${key[@]}" --input x=x.npy --output y=taken
	left "${done[@]}" 'MODEL_RUN_FAILED failure io'
	exits 64 'an input is missing' predict onnx.tgsp "${key[@]}"
	left 'TGSP_DEK_UNWRAP_SUCCEEDED success' 'MODEL_RUN_FAILED failure usage'
else
	skip 'no ONNX Runtime here (scripts/setup fetches it)'
fi

# ---- who, and in which log ----

ok 'somebody' verify p.tgsp --actor 'Zoë "Z" of ops'
left 'TGSP_VERIFY_SUCCEEDED success'
member 'the name' '"actor":{"id":"Zoë \"Z\" of ops","type":"user"}'
for name in '' $'a\nb' $'a\x9b' "$(printf '\302\205')" "$(printf 'x%.0s' {1..256})"; do
	exits 64 'a name that is none' verify p.tgsp --actor "$name"
done
left
export TG_EVIDENCE=ev
ok 'the log of the environment' tensorguard verify p.tgsp "${trust[@]}"
left 'TGSP_VERIFY_SUCCEEDED success'
log ev2
ok 'the option wins' tensorguard verify p.tgsp "${trust[@]}" --evidence ev2
left
is 'there it is' "$(size ev2)" 2
unset TG_EVIDENCE

# ---- what comes from outside ----

hostile=$'p\x1b[2J\xff\xc2\x9b\x7f\n"\\ä.tgsp'
exits 66 'a name that a terminal would obey' verify "$hostile"
left 'TGSP_VERIFY_FAILED failure notfound'
member 'made fit' '"tgsp_ref":"p?[2J?????\"\\ä.tgsp"'
long=$(printf 'ä%.0s' {1..3000})
exits 74 'a name that is too long' verify "$long"
left 'TGSP_VERIFY_FAILED failure io'
member 'cut between characters' "\"tgsp_ref\":\"$(printf 'ä%.0s' {1..512})\""
exits 74 'and one of quotes' verify "$(printf '"%.0s' {1..3000})"
left 'TGSP_VERIFY_FAILED failure io'
echo 'correct horse' >phrase
tensorguard keygen --type encryption --out locked --passphrase-file phrase >/dev/null || exit 1
echo 'battery staple' >wrong
exits 3 'a wrong passphrase' opens p.tgsp --key locked/encryption.priv --passphrase-file wrong --out o2
left 'TGSP_OPEN_DENIED denied auth'
ok 'the log is sound' tensorguard evidence verify ev --policy ev/log.policy
records ev >all
for secret in 'correct horse' 'battery staple' "$(sed 's/.*"private":{[^}]*"classic":"\([^"]*\)".*/\1/' k/signing.priv)" \
	"$(sed 's/.*"private":{[^}]*"classic":"\([^"]*\)".*/\1/' k/encryption.priv)"; do
	lacks 'no secret is in it' all "$secret"
done

# ---- many at once ----

for _ in {1..12}; do
	verify p.tgsp >/dev/null 2>>crowd.err &
done
wait
is 'twelve at the same time' "$(cat crowd.err)" ''
look
is '  leave twelve events' "$(uniq -c types | xargs)" '12 TGSP_VERIFY_SUCCEEDED success'
ok '  in one chain' tensorguard evidence verify ev --policy ev/log.policy

# ---- a log that takes nothing: no result ----

tensorguard trust add t.json k/signing.pub >/dev/null || exit 1
cp t.json t.was && cp q.tgsp was.tgsp
all=(build verify open rekey trust run)
try() { # VERB LOG
	case $1 in
	build) build x.tgsp --evidence "$2" ;;
	verify) tensorguard verify p.tgsp "${trust[@]}" --evidence "$2" ;;
	open) tensorguard open p.tgsp "${key[@]}" "${trust[@]}" --out x --evidence "$2" ;;
	rekey) tensorguard rekey q.tgsp "${key[@]}" --signing-key k/signing.priv "${trust[@]}" \
		--remove "$(key_id other/encryption.pub)" --evidence "$2" ;;
	trust) tensorguard trust add t.json other/signing.pub --evidence "$2" ;;
	run) tensorguard run onnx.tgsp "${key[@]}" "${trust[@]}" --input x=x.npy --output y=x.out --evidence "$2" ;;
	esac
}
untouched() { # NAME
	is "$1: nothing to be seen" "$(cat "$out")$(ls -d x x.tgsp x.out 2>/dev/null)" ''
	same "$1: the package as it was" q.tgsp was.tgsp
	same "$1: the store as it was" t.json t.was
}
mkdir -p nothing && log torn && log dead
printf '{"_chain"' >>dead/segments/00000000000000000000.jsonl
sed -i 's/LOG_CREATED/LOG_CREATEX/' dead/segments/00000000000000000000.jsonl
cp -r dead dead.was
for verb in "${all[@]}"; do
	exits 66 "$verb: no such folder" try "$verb" absent
	untouched "$verb"
	has '  how to make one' err "'tensorguard evidence create absent'"
	exits 66 "$verb: a folder without a log" try "$verb" nothing
	exits 65 "$verb: a damaged log" try "$verb" dead
	untouched "$verb"
	is '  says what' "$(grep -c "^tensorguard $verb: evidence: " "$err")$(wc -l <"$err")" 11
done
ok 'a damaged log stays as it was' diff -r dead dead.was -x lock
is 'no log is made by the way' "$(ls -A nothing)$([ -e absent ] && echo there)" ''

# held by somebody else: all of them wait at the same time
exec 9<>ev/lock
flock 9
for verb in "${all[@]}"; do
	{
		try "$verb" ev >"$verb.out" 2>"$verb.err" 9>&-
		echo $? >"$verb.code"
	} &
done
wait
exec 9>&-
for verb in "${all[@]}"; do
	is "$verb: the log is held" "$(cat "$verb.code" "$verb.out")" 75
	has '  for how long' "$verb.err" 'still after 10 s (busy)'
done
: >"$out"
untouched 'none of them'
left
flock ev/lock sleep 1 &
sleep 0.2
ok 'held for a moment' verify p.tgsp
left 'TGSP_VERIFY_SUCCEEDED success'
wait

# full when it comes to appending: the log is larger than a file may become
log full
head -c 4000 /dev/zero | tr '\0' x >note
for _ in {1..30}; do
	printf '{"event_type":"NOTE_ADDED","note":"%s"}\n' "$(cat note)"
done >notes
ok 'a large log' tensorguard evidence append full notes
is 'of more than 100 KiB' $(($(records full | wc -c) > 102400)) 1
n=$(size full)
rm -f model/weights.bin
cp p.tgsp large.tgsp
build p.tgsp >/dev/null && tensorguard rekey p.tgsp "${key[@]}" --signing-key k/signing.priv "${trust[@]}" \
	--add other/encryption.pub --out q.tgsp >/dev/null && cp q.tgsp was.tgsp
limited() { # COMMAND...
	(ulimit -f 100 && "$@")
}
run_there=
[ ! -r "$TG_ONNXRUNTIME" ] || run_there=run
for verb in build verify open rekey trust $run_there; do
	exits 74 "$verb: the event does not fit" limited try "$verb" full
	untouched "$verb"
	has '  said' err "tensorguard $verb: evidence: full: "
done
exits 74 'nor does that of a refusal' limited tensorguard verify p.tgsp --trust other/signing.pub --evidence full
has '  what is wrong with the log' err 'evidence: full: '
has '  and what was refused' err 'not a trusted author'
is '  on one line' "$(wc -l <"$err")" 1
mkdir fresh && cp k/signing.* fresh
exits 74 'no event, no new identity' limited tensorguard build --input-dir model --out x.tgsp \
	--signing-key fresh/signing.priv --evidence full
is '  beside the key' "$(ls fresh)" $'signing.priv\nsigning.pub'
is 'nothing has been added' "$(size full)" "$n"
ok 'and the log is sound' tensorguard evidence verify full

# a folder that may only be read
log theirs
readonly_log() { # COMMAND...: as somebody who may not write
	if [ "$(id -u)" -eq 0 ]; then
		setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
	else
		"$@"
	fi
}
if [ "$(id -u)" -ne 0 ] || type setpriv >/dev/null 2>&1; then
	chmod 755 "$scratch" "$here"
	cp "$build/tensorguard" . && chmod -R a-w,a+rX theirs && chmod -R a+rX k p.tgsp
	exits 74 'a log that may only be read' readonly_log ./tensorguard verify p.tgsp "${trust[@]}" --evidence theirs
	is '  nothing is printed' "$(cat "$out")" ''
	has '  why' err 'Permission denied'
	chmod -R u+w theirs
else
	skip 'no other user to be'
fi
done_testing

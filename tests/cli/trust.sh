#!/bin/bash
# trust: a store of signing keys with role, label and window; what goes wrong leaves it as it was, and
# what happens at once is all in it.
# shellcheck disable=SC2317 # functions are called through ok and exits
. "$(dirname "$0")/../lib.sh"

ok 'keys of the author' tensorguard keygen --type both --no-passphrase --out author
for who in helper other; do
	ok "keys of $who" tensorguard keygen --type signing --no-passphrase --out "$who"
done
mkdir model d
head -c 5000 /dev/urandom >model/weights.bin
ok 'a package' tensorguard build --input-dir model --out p.tgsp --signing-key author/signing.priv
id() { sed 's/.*"key_id":"\([0-9a-f]*\)".*/\1/' "$1"; } # KEY-FILE
author=$(id author/signing.pub) helper=$(id helper/signing.pub) other=$(id other/signing.pub)
verify() { tensorguard verify p.tgsp "$@"; }
list() { tensorguard trust list "$1" | tr -s ' ' | sed 's/ $//'; }
s=d/store.json

# ---- add, list, remove ----

ok 'the first key makes the store' tensorguard trust add $s author/signing.pub --label 'vision "team" ä'
has 'it counts' out '1 entry'
is 'its mode' "$(stat -c %a $s)" 644
is 'nothing but the store is in the folder' "$(ls -A d)" store.json
ok 'it is trusted' verify --trust $s
ok 'a second key' tensorguard trust add $s helper/signing.pub --role delegate \
	--not-before 2026-01-01T00:00:00Z --not-after 1893456000
has 'it counts' out '2 entries'
is 'the list: a heading and two lines' "$(list $s | wc -l)" 3
is 'the author, without bounds, and whose key it is' "$(list $s | sed -n 2p)" \
	"$author author valid - - vision \"team\" ä"
has 'the delegate, with bounds' <(list $s) '2026-01-01T00:00:00Z 2030-01-01T00:00:00Z'
ok 'the list as JSON' tensorguard trust list $s --json
is 'one line' "$(wc -l <"$out")" 1
has 'the author' out "{\"key_id\":\"$author\",\"label\":\"vision \\\"team\\\" ä\",\"role\":\"author\",\"valid\":true}"
has 'the delegate' out \
	"{\"key_id\":\"$helper\",\"not_after\":1893456000,\"not_before\":1767225600,\"role\":\"delegate\",\"valid\":"
ok 'the author as a delegate too' tensorguard trust add $s author/signing.pub --role delegate
ok 'and another author' tensorguard trust add $s other/signing.pub --role author
lacks 'no private key is in it' $s private
ok 'removing a key removes it in every role' tensorguard trust remove $s "$author"
has 'it counts' out '2 entries'
exits 3 'it is not trusted any more' verify --trust $s
is 'the others are still there' "$(list $s | tail -n +2 | cut -d ' ' -f 1,2 | xargs)" \
	"$helper delegate $other author"
ok 'the others too' tensorguard trust remove $s "$helper"
ok 'until nobody is left' tensorguard trust remove $s "$other"
has 'is an empty store' out '0 entries'
is 'which is listed as nothing' "$(tensorguard trust list $s --json)" '[]'
exits 3 'and trusts nobody' verify --trust $s
ok 'the author comes back' tensorguard trust add $s author/signing.pub
ok 'and is trusted' verify --trust $s
ok 'for opening too' tensorguard open p.tgsp --key author/encryption.priv --trust $s --out m
ok 'and for re-keying' tensorguard rekey p.tgsp --key author/encryption.priv \
	--signing-key author/signing.priv --trust $s --add author/encryption.pub

# ---- windows ----

window() { # NAME FROM TO ('-': none): a store of its own
	local options=()
	[ "$2" = - ] || options+=(--not-before "$2")
	[ "$3" = - ] || options+=(--not-after "$3")
	tensorguard trust add "d/$1.json" author/signing.pub "${options[@]}" >/dev/null
}
window both 1000 2000
window from 2000-01-01T00:00:00Z -
window until - 2000-01-01T00:00:00Z
window second 5 5
window future 4000000000 -
window past - 1000000000
while read -r store at want; do
	exits "$want" "$store at $at" verify --trust "d/$store.json" --at "$at"
done <<-'T'
	both 999 3
	both 1000 0
	both 1500 0
	both 2000 0
	both 2001 3
	both 0 3
	from 1999-12-31T23:59:59Z 3
	from 2000-01-01T00:00:00Z 0
	from 946684799 3
	from 946684800 0
	from 9007199254740991 0
	until 0 0
	until 2000-01-01T00:00:00Z 0
	until 2000-01-01T00:00:01Z 3
	second 4 3
	second 5 0
	second 6 3
T
exits 3 'now is not yet in the future' verify --trust d/future.json
has 'it says that it may be the time' err 'not at this time'
exits 3 'now is not the past' verify --trust d/past.json
ok 'though at that time it was' verify --trust d/past.json --at 1000000000
has 'the list says what is not valid now' <(list d/past.json) 'author INVALID - 2001-09-09T01:46:40Z'
has 'as JSON too' <(tensorguard trust list d/past.json --json) '"not_after":1000000000,"role":"author","valid":false'

# Stores and keys add up: what one of them trusts is trusted.
ok 'an expired entry and the key itself' verify --trust d/past.json --trust author/signing.pub
ok 'the key itself and an expired entry' verify --trust author/signing.pub --trust d/past.json
ok 'the same store twice' verify --trust $s --trust $s
ok 'two stores with one key' verify --trust d/both.json --trust d/until.json --at 2500
exits 3 'neither of which has it valid' verify --trust d/both.json --trust d/future.json --at 2500
ok 'the same key twice' verify --trust author/signing.pub --trust author/signing.pub
ok 'a key and its folder' verify --trust author/signing.pub --trust author

# ---- what is refused ----

tensorguard keygen --type signing --no-passphrase --out more >/dev/null
more=$(id more/signing.pub)
printf '{"entries":[],"tensorguard_trust":2}' >d/later.json
printf '{"entries":[{}],"tensorguard_trust":1}' >d/damaged.json
: >d/empty.json
head -c 100 $s >d/cut.json
ln -s nowhere d/link.json
mkdir d/folder.json
before=$(ls -lA d && cat d/*.json 2>/dev/null)

fails() { # CODE NAME TEXT COMMAND...
	exits "$1" "$2" "${@:4}"
	has "$2: says why" err "$3"
	is "$2: in one line on standard error" "$(wc -l <"$err") $(wc -c <"$out")" '1 0'
}
add=(tensorguard trust add "$s" more/signing.pub)
fails 5 'a key that is there' 'in the store already' tensorguard trust add $s author/signing.pub --label other
fails 64 'another role' 'author or delegate expected' "${add[@]}" --role reader
fails 64 'a role with a capital' 'author or delegate expected' "${add[@]}" --role Author
fails 64 'an empty role' 'author or delegate expected' "${add[@]}" --role ''
fails 64 'an end before the beginning' 'later than --not-after' "${add[@]}" --not-before 6 --not-after 5
fails 64 'a time that is none' 'Unix seconds or a time' "${add[@]}" --not-after tomorrow
fails 64 'a time with a fraction' 'Unix seconds or a time' "${add[@]}" --not-after 1.5
fails 64 'a time in another zone' 'Unix seconds or a time' "${add[@]}" --not-after 2026-01-01T00:00:00+01:00
fails 64 'a time beyond 2^53' 'Unix seconds or a time' "${add[@]}" --not-after 9007199254740992
fails 64 'an encryption key' 'signing' tensorguard trust add $s author/encryption.pub
fails 64 'a private key' 'private key' tensorguard trust add $s more/signing.priv
fails 66 'a key that is not there' absent.pub tensorguard trust add $s absent.pub
fails 65 'a key that is none' store.json tensorguard trust add $s $s
fails 66 'a folder that is not there' absent tensorguard trust add absent/store.json more/signing.pub
fails 69 'a store of a later version' later.json tensorguard trust add d/later.json more/signing.pub
fails 65 'a damaged store' damaged.json tensorguard trust add d/damaged.json more/signing.pub
fails 65 'an empty file' empty.json tensorguard trust add d/empty.json more/signing.pub
fails 65 'a store cut short' cut.json tensorguard trust add d/cut.json more/signing.pub
fails 66 'a link to nowhere' link.json tensorguard trust add d/link.json more/signing.pub
fails 64 'a folder as the store' folder.json tensorguard trust add d/folder.json more/signing.pub
fails 66 'removing who is not there' 'no such key' tensorguard trust remove $s "$more"
fails 64 'removing nonsense' '32 hex digits' tensorguard trust remove $s nonsense
fails 64 'removing by capitals' '32 hex digits' tensorguard trust remove $s "${author^^}"
fails 66 'removing from no store' absent.json tensorguard trust remove absent.json "$more"
fails 65 'removing from a damaged store' damaged.json tensorguard trust remove d/damaged.json "$more"
fails 66 'listing no store' absent.json tensorguard trust list absent.json
fails 65 'listing a key' 'not a trust store' tensorguard trust list author/signing.pub
fails 65 'listing a damaged store' damaged.json tensorguard trust list d/damaged.json
fails 64 'nothing at all' 'expected' tensorguard trust
fails 64 'a store alone' 'expected' tensorguard trust add $s
fails 64 'another word' 'expected' tensorguard trust adds $s more/signing.pub
fails 64 'a word too many' 'one word too many' tensorguard trust add $s more/signing.pub x
fails 64 'an unknown option' 'unknown option' "${add[@]}" --rolle author

# Labels go to terminals: no control characters, whatever the encoding.
n=0
for label in '' $'\n' $'a\nb' $'a\tb' $'\e[2J' $'\x7f' $'\xc2\x80' $'\xc2\x9b2J' $'\xff' $'\xc0\x80' \
	$'\xed\xa0\x80' "$(printf 'x%.0s' $(seq 256))"; do
	n=$((n + 1))
	fails 65 "label $n" 'label' "${add[@]}" --label "$label"
done
after=$(ls -lA d && cat d/*.json 2>/dev/null)
is 'none of it has changed anything or left anything' "$after" "$before"
ok 'a label of 255 bytes' "${add[@]}" --label "$(printf 'x%.0s' $(seq 255))"

# What is no store is not trusted either.
fails 69 'trusting a store of a later version' later.json verify --trust d/later.json
fails 65 'trusting a damaged store' damaged.json verify --trust d/damaged.json
fails 65 'trusting an empty file' empty.json verify --trust d/empty.json
fails 64 'trusting a private key' 'private key' verify --trust author/signing.priv
fails 64 'trusting an encryption key' 'signing keys' verify --trust author/encryption.pub

# Somebody wrote a label by hand: it is not shown.
sed 's/"entries":\[{/&"label":"\\u001b[2J",/' d/both.json >d/bell.json
fails 65 'a label with an escape in the file' 'control character' tensorguard trust list d/bell.json

# ---- several at once ----

mkdir at-once
for i in 1 2 3 4 5 6 7 8; do
	tensorguard keygen --type signing --no-passphrase --out "k$i" >/dev/null
done
for i in 1 2 3 4 5 6 7 8; do
	{
		tensorguard trust add at-once/store.json "k$i/signing.pub" --label "number $i" >"added$i" 2>&1
		echo $? >"code$i"
	} &
done
wait
is 'eight at once: all succeed' "$(cat code? | xargs)" '0 0 0 0 0 0 0 0'
is 'all are in the store' "$(list at-once/store.json | tail -n +2 | sed 's/.* //' | sort | xargs)" '1 2 3 4 5 6 7 8'
is 'with their keys' "$(list at-once/store.json | tail -n +2 | cut -d ' ' -f 1 | sort | xargs)" \
	"$(for i in 1 2 3 4 5 6 7 8; do id "k$i/signing.pub"; done | sort | xargs)"
is 'nothing but the store is in the folder' "$(ls -A at-once)" store.json
for i in 1 2 3 4; do
	tensorguard trust remove at-once/store.json "$(id "k$i/signing.pub")" >/dev/null 2>&1 &
	tensorguard trust add at-once/store.json "k$i/signing.pub" --role delegate >/dev/null 2>&1 &
done
wait
is 'adding and removing at once: the others stay' \
	"$(list at-once/store.json | grep -c ' author .*number [5-8]$')" 4
is 'and none of the first authors' "$(list at-once/store.json | grep -c ' author .*number [1-4]$')" 0
is 'nothing else is in the folder' "$(ls -A at-once)" store.json
done_testing

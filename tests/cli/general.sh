#!/bin/bash
# What all verbs have in common: help, usage errors, one line per failure, exit codes, the alias.
# shellcheck disable=SC2154 # $out and $err come from lib.sh
. "$(dirname "$0")/../lib.sh"

verbs='keygen build verify inspect open run rekey trust'

ok 'help' tensorguard -h
for v in $verbs; do has "names $v" out "  $v "; done
has 'and has an example' out 'example:'
ok 'the long form' tensorguard --help
ok 'the word' tensorguard help
ok 'version' tensorguard --version
is 'version as in the repository' "$(head -1 "$out")" "tensorguard $(cat "$repo/VERSION")"
exits 64 'nothing' tensorguard
is 'nothing on standard output' "$(cat "$out")" ''
has 'usage on standard error' err 'usage: tensorguard COMMAND'
exits 64 'an unknown verb' tensorguard frobnicate
has 'is named' err "unknown command 'frobnicate'"
exits 64 'the alias alone' tensorguard tgsp
exits 64 'the alias of an unknown verb' tensorguard tgsp frobnicate
exits 64 'the alias is none of itself' tensorguard tgsp tgsp keygen

for v in $verbs; do
	for how in "$v -h" "$v --help" "tgsp $v -h" "$v --unknown -h" "$v x y z -h"; do
		case $how in *x* | *unknown*) continue ;; esac
		# shellcheck disable=SC2086
		ok "$how" tensorguard $how
		is "$how: nothing on standard error" "$(cat "$err")" ''
		has "$how: usage" out "usage: tensorguard $v "
		has "$how: an example" out "  tensorguard $v "
	done
	exits 64 "$v with an unknown option" tensorguard "$v" --no-such-option
	is "$v: one line" "$(wc -l <"$err")" 1
	has "$v: it says which" err --no-such-option
	has "$v: and the status" err '(usage)'
	is "$v: nothing on standard output" "$(cat "$out")" ''
	exits 64 "$v with a short option" tensorguard "$v" -x
done

# ---- every failure is one line on standard error, with the status, and nothing on standard output ----

mkdir m && echo data >m/f.txt
tensorguard keygen --type both --out k --no-passphrase >/dev/null || exit 1
tensorguard keygen --type both --out other --no-passphrase >/dev/null || exit 1
tensorguard build --input-dir m --out p.tgsp --signing-key k/signing.priv --recipient k/encryption.pub \
	--rollback-index 1 >/dev/null || exit 1
head -c 100 p.tgsp >cut.tgsp
: >empty.tgsp
cp p.tgsp flipped.tgsp
printf X | dd of=flipped.tgsp bs=1 seek=4096 conv=notrunc status=none
mkdir taken && echo mine >taken/f.txt

failing() { # CODE STATUS COMMAND...
	local want=$1 status=$2
	shift 2
	exits "$want" "$status: $*" tensorguard "$@"
	is 'one line' "$(wc -l <"$err")" 1
	has 'the verb' err "tensorguard $1: "
	has 'the status' err "($status)"
	is 'nothing on standard output' "$(cat "$out")" ''
	lacks 'no escape sequences' err "$(printf '\033')"
}
key=(--key k/encryption.priv) trust=(--trust k/signing.pub)
failing 64 usage verify p.tgsp
failing 64 usage open p.tgsp "${key[@]}" "${trust[@]}"
failing 64 usage open p.tgsp "${trust[@]}" --out o
failing 64 usage open p.tgsp --key k/encryption.pub "${trust[@]}" --out o
failing 64 usage open p.tgsp --key k/signing.priv "${trust[@]}" --out o
failing 64 usage verify p.tgsp --trust k/encryption.pub
failing 64 usage verify m "${trust[@]}"
failing 64 usage verify p.tgsp "${trust[@]}" --at yesterday
failing 64 usage verify p.tgsp "${trust[@]}" --threads 65
failing 64 usage verify p.tgsp "${trust[@]}" --threads -1
failing 65 format verify empty.tgsp "${trust[@]}"
failing 65 format verify cut.tgsp "${trust[@]}"
failing 65 format inspect cut.tgsp
failing 65 format verify k/signing.pub "${trust[@]}"
failing 65 format verify p.tgsp --trust p.tgsp
failing 3 auth verify flipped.tgsp "${trust[@]}"
failing 3 auth open flipped.tgsp "${key[@]}" "${trust[@]}" --out o
failing 3 auth verify p.tgsp --trust other/signing.pub
failing 4 policy open p.tgsp --key other/encryption.priv "${trust[@]}" --out o
failing 66 notfound verify absent.tgsp "${trust[@]}"
failing 66 notfound verify p.tgsp --trust absent.pub
failing 66 notfound verify p.tgsp --trust m
failing 66 notfound open p.tgsp --key absent.priv "${trust[@]}" --out o
failing 66 notfound open p.tgsp "${key[@]}" "${trust[@]}" --file g.txt -
failing 5 conflict open p.tgsp "${key[@]}" "${trust[@]}" --out taken
failing 5 conflict keygen --type signing --out k --no-passphrase
failing 69 unsupported run p.tgsp "${key[@]}" "${trust[@]}"
failing 74 io verify p.tgsp/x "${trust[@]}"
is 'nothing came of these' "$([ -e o ] && echo there)" ''
is 'and nothing was touched' "$(cat taken/f.txt)" mine

# Text from outside does not reach the terminal as it is.
mkdir "$(printf 'esc\033[31m')"
exits 66 'a name with an escape sequence' tensorguard verify "$(printf 'x\033[31mred')" "${trust[@]}"
lacks 'is shown without it' err "$(printf '\033')"

# ---- standard output that cannot be written ----

if [ -w /dev/full ]; then
	full() { # COMMAND...
		"$@" >/dev/full
	}
	for c in "--version" "-h" "verify -h" "verify p.tgsp --trust k/signing.pub" "inspect p.tgsp" \
		"inspect p.tgsp --json" "verify p.tgsp --trust k/signing.pub --json" \
		"open p.tgsp --key k/encryption.priv --trust k/signing.pub --tar" \
		"open p.tgsp --key k/encryption.priv --trust k/signing.pub --file f.txt -"; do
		# shellcheck disable=SC2086
		exits 74 "a full disk: $c" full tensorguard $c
	done
else
	skip 'no /dev/full'
fi
closed() { "$@" >&-; }
exits 74 'closed standard output' closed tensorguard verify p.tgsp "${trust[@]}"
reader_gone() { # the reader of the pipe is gone before anything is written
	{
		sleep 0.2
		"$@"
		echo $? >code
	} | true
	return "$(cat code)"
}
exits 74 'a closed pipe is an error, no sudden death' reader_gone tensorguard open p.tgsp "${key[@]}" \
	"${trust[@]}" --tar

# ---- options in any order and form ----

ok 'package last' tensorguard verify --trust k/signing.pub p.tgsp
ok 'with an equals sign' tensorguard verify --trust=k/signing.pub p.tgsp
ok 'behind two dashes' tensorguard verify "${trust[@]}" -- p.tgsp
cp p.tgsp ./--odd.tgsp
ok 'a name with dashes behind two dashes' tensorguard verify "${trust[@]}" -- --odd.tgsp
exits 64 'and not before them' tensorguard verify "${trust[@]}" --odd.tgsp
done_testing

#!/bin/bash
# A disk that fills up: exit code 74, one line, and nothing partial with a name.
# shellcheck disable=SC2154,SC2317 # $out and $err come from lib.sh; functions are called through ok
. "$(dirname "$0")/../lib.sh"

tensorguard keygen --type both --out k --no-passphrase >/dev/null || exit 1
mkdir -p model/sub
head -c 700000 /dev/urandom >model/a.bin
head -c 2000000 /dev/urandom >model/sub/b.bin
build=(tensorguard build --input-dir model --signing-key k/signing.priv --recipient k/encryption.pub --rollback-index 1 --out)
"${build[@]}" p.tgsp >/dev/null || exit 1
open=(tensorguard open p.tgsp --key k/encryption.priv --trust k/signing.pub)

within() { # KIB COMMAND...: no file may become larger
	local kib=$1
	shift
	(ulimit -f "$kib" && exec "$@") # bash does not ignore SIGXFSZ: the program has to
}
failed() { # NAME COMMAND...
	local name=$1
	shift
	exits 74 "$name" "$@"
	is "$name: one line" "$(grep -vc "^profiling:" "$err")" 1
	has "$name: the reason" err 'File too large'
}
for kib in 1 100 1500 2600; do
	failed "build within $kib KiB" within $kib "${build[@]}" new.tgsp
	is 'no package' "$([ -e new.tgsp ] && echo there)" ''
done
sum=$(cksum <p.tgsp)
failed 'build over an older package' within 1500 "${build[@]}" p.tgsp
is 'which stays' "$(cksum <p.tgsp)" "$sum"
for kib in 1 500 1500 1900; do
	failed "open --out within $kib KiB" within $kib "${open[@]}" --out o
	is 'no folder' "$([ -e o ] && find o)" ''
done
mkdir o && echo mine >o/a.bin
failed 'open --force over a file' within 1500 "${open[@]}" --out o --force
is 'which stays, alone' "$(find o -type f) $(cat o/a.bin)" 'o/a.bin mine'
failed 'open --file' within 1500 "${open[@]}" --file sub/b.bin b.bin
is 'no file' "$([ -e b.bin ] && echo there)" ''
failed 'keygen' within 2 tensorguard keygen --type both --out new --no-passphrase
is 'no key' "$([ -d new ] && ls -A new)" ''

# With nothing to be written at all there is not even a place for the message: $err is a file.
mkdir state
exits 74 'build within nothing' within 0 "${build[@]}" new.tgsp
exits 74 'open within nothing' within 0 "${open[@]}" --out none
exits 74 'keygen within nothing' within 0 tensorguard keygen --type both --out new --no-passphrase
floor() { (ulimit -f 0 && exec "${open[@]}" --file sub/b.bin - --state state >/dev/null); }
exits 74 'a rollback floor that cannot be written' floor
is 'nothing came of these' "$(ls -A new state)$([ -e new.tgsp ] || [ -e none ] && echo there)" "$(printf 'new:\n\nstate:')"

# A real file system of 2 MiB, where we may make one.
mkdir small
if mount -t tmpfs -o size=2m none small 2>/dev/null; then
	trap 'umount "$here/small" 2>/dev/null; tap_end' EXIT
	exits 74 'build onto a full disk' "${build[@]}" small/p.tgsp
	has 'says so' err 'No space left on device'
	is 'no package' "$(ls -A small)" ''
	exits 74 'open onto a full disk' "${open[@]}" --out small/o
	has 'says so' err 'No space left on device'
	is 'no folder' "$(ls -A small)" ''
	ok 'what fits is written' "${open[@]}" --file a.bin small/a.bin
	same 'whole' small/a.bin model/a.bin
	umount small
else
	skip 'no small file system can be made here'
fi
is 'no temporary file of all these' "$(find . -name '.tg-*')" ''
done_testing

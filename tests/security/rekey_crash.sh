#!/bin/bash
# Re-keying that is killed, or finds the disk full: the old package is there, or the complete new one,
# and nothing else.
# shellcheck disable=SC2016,SC2317 # commands and functions are for ok and exits to run
. "$(dirname "$0")/../lib.sh"

for who in author one two; do
	ok "keys of $who" tensorguard keygen --type both --no-passphrase --out "$who"
done
mkdir model d
head -c 8000000 /dev/urandom >model/weights.bin
p=d/p.tgsp
ok 'a package of 8 MB' tensorguard build --input-dir model --out base.tgsp \
	--signing-key author/signing.priv --recipient one/encryption.pub
base=$(sha256sum <base.tgsp)
facts() { tensorguard verify "$1" --trust author/signing.pub | tail -n +2; }
facts=$(facts base.tgsp)
rekey=(tensorguard rekey "$p" --key one/encryption.priv --signing-key author/signing.priv
	--trust author/signing.pub --add two/encryption.pub)
killed_after() { # MICROSECONDS OPTION...
	"${rekey[@]}" "${@:2}" >"$out" 2>"$err" </dev/null &
	local pid=$!
	sleep "$(printf '%d.%06d' $(($1 / 1000000)) $(($1 % 1000000)))"
	kill -9 $pid
	wait $pid
} 2>/dev/null # what bash says of a signal
count() { tensorguard inspect "$1" | grep -c '^  recipient  '; }

# A file replaces another one under a temporary name, for the time between two system calls: a kill
# just there leaves that name, hidden, of a file that is complete (src/util/newfile.h). Anything else
# beside the package is wrong. Such a name is removed, so that it is looked at once.
leftovers() {
	find d -mindepth 1 ! -path "$p" | while IFS= read -r f; do
		case $f in
		d/.tg-????????????????.tmp)
			[ "$(facts "$f" 2>&1)" = "$facts" ] || echo "$f, which is not complete"
			rm -f "$f"
			;;
		*) echo "$f" ;;
		esac
	done
}
# The package is one that readers take, with one recipient or two.
whole() {
	[ "$(facts "$p" 2>&1)" = "$facts" ] && case $(count "$p") in
	1) [ "$(sha256sum <"$p")" = "$base" ] ;;
	2) tensorguard open "$p" --key two/encryption.priv --trust author/signing.pub --file weights.bin - |
		cmp -s - model/weights.bin ;;
	*) false ;;
	esac
}

# ---- kill -9 at any time ----

cp base.tgsp $p
from=$(date +%s%N)
ok 'undisturbed' "${rekey[@]}"
took=$((($(date +%s%N) - from) / 1000)) # microseconds
is 'it is the new package' "$(count $p)" 2
ok 'which is whole' whole

points=30 bad=0 old=0 new=0
for ((i = 0; i < points; i++)); do
	cp base.tgsp $p
	wait_us=$((took * i / (points - 1) + RANDOM % (took / points + 1)))
	killed_after $wait_us
	left=$(leftovers)
	if ! whole || [ -n "$left" ]; then
		bad=$((bad + 1))
		note "killed after $wait_us us: $(count $p) recipients, beside it: $left"
	fi
	if [ "$(count $p)" -eq 1 ]; then old=$((old + 1)); else new=$((new + 1)); fi
done
note "$points kills within $took us: $old times the old package, $new times the new one"
is "killed at $points points: the old package or the complete new one, and nothing else" $bad 0
is 'some came before the end' "$((old > 0))" 1

# With --out there is nothing, or the complete new one; the input is not touched.
bad=0
cp base.tgsp $p
for ((i = 0; i < 10; i++)); do
	killed_after $((took * i / 9)) --out d/q.tgsp
	if [ -e d/q.tgsp ] && [ "$(facts d/q.tgsp 2>&1)" != "$facts" ]; then bad=$((bad + 1)); fi
	rm -f d/q.tgsp
	[ -z "$(leftovers)" ] && [ "$(sha256sum <$p)" = "$base" ] || bad=$((bad + 1))
done
is 'killed at 10 points with --out: nothing, or the complete new one' $bad 0

# ---- and at the worst moments, where strace can choose them ----

if command -v strace >/dev/null && strace -o trace true 2>/dev/null; then
	traced() { # where leaks can't be looked for
		ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 strace -f -o trace "$@"
	}
	for when in pwrite64:1 pwrite64:2 copy_file_range:1 fchmod:1 fsync:1 fsync:2 linkat:1 /rename:1; do
		cp base.tgsp $p
		ln $p old.link
		{
			traced -e "inject=${when%:*}:signal=KILL:when=${when#*:}" \
				"${rekey[@]}" >"$out" 2>"$err" </dev/null
		} 2>/dev/null
		is "killed at $when" $? 137
		left=$(leftovers)
		is "killed at $when: nothing else is left" "$left" ''
		ok "killed at $when: the package is whole" whole
		is "killed at $when: the old file was not written to" "$(sha256sum <old.link)" "$base"
		rm -f old.link
	done
	# an input and output error on the way
	for call in pwrite64 fsync fchmod linkat /rename; do
		cp base.tgsp $p
		exits 74 "$call fails" traced -e "inject=$call:error=EIO" "${rekey[@]}"
		is "$call fails: the old package" "$(sha256sum <$p)" "$base"
		is "$call fails: and nothing else" "$(ls -A d)" p.tgsp
	done
	# copying in the kernel is a convenience: without it, it is done by hand
	for error in ENOSYS EXDEV EINVAL EOPNOTSUPP; do
		cp base.tgsp $p
		ok "copy_file_range fails with $error" traced -e "inject=copy_file_range:error=$error" \
			"${rekey[@]}"
		ok "copy_file_range fails with $error: the package is whole" whole
	done
fi

# ---- no room ----

full() { # NAME: what there is after a failure
	is "$1: the old package" "$(sha256sum <$p)" "$base"
	is "$1: and nothing else" "$(ls -A d)" p.tgsp
	has "$1: it is said" err '(io)'
}
cp base.tgsp $p
kib=$(($(stat -c %s $p) / 1024))
for limit in 1 8 1024 $((kib / 2)) $((kib - 1)); do
	exits 74 "files of at most $limit KiB" bash -c 'ulimit -f "$1" && shift && "$@"' - $limit \
		"${rekey[@]}"
	full "files of at most $limit KiB"
	exits 74 "with --out, files of at most $limit KiB" bash -c 'ulimit -f "$1" && shift && "$@"' - $limit \
		"${rekey[@]}" --out d/q.tgsp
	full "with --out, files of at most $limit KiB"
done
ok 'files of a little more are enough' bash -c 'ulimit -f "$1" && shift && "$@"' - $((kib + 64)) \
	"${rekey[@]}"
ok 'the package is whole' whole

# A file system of its own, with room for a package and a half. The mount is this one shell's.
space() { # COMMAND: in an empty folder of 12 MiB
	unshare "$own" bash -c 'mkdir -p small && mount -t tmpfs -o size=12m none small && '"$1"
}
own=-m # root; others may do it where they may be root of a namespace
space true 2>/dev/null || own=-rm
if space true 2>/dev/null; then
	cat >fill <<-'T'
		cp base.tgsp small/p.tgsp || exit 99
		tensorguard rekey small/p.tgsp --key one/encryption.priv --signing-key author/signing.priv \
			--trust author/signing.pub --add two/encryption.pub "$@"
		code=$?
		cmp -s base.tgsp small/p.tgsp || exit 98
		[ "$(ls -A small)" = p.tgsp ] || exit 97
		[ "$(df --output=used small | tail -n 1)" -lt 10000 ] || exit 96
		exit $code
	T
	exits 74 'a full disk: the old package, nothing else, and the room is free again' space 'bash fill'
	has 'it is said' err 'No space left on device'
	exits 74 'the same with --out' space 'bash fill --out small/q.tgsp'
	exits 74 'the same with --remove and --add' space "bash fill --remove $(
		tensorguard inspect base.tgsp | awk '$1 == "recipient" { print $2 }')"
else
	skip 'no file system can be mounted here'
fi
done_testing

#!/bin/bash
# Nobody reads the memory of a running tensorguard by the ordinary ways: a crash leaves no core, and
# a debugger of the same user is turned away. A plain process, tried the same way, is not so closed.
# shellcheck disable=SC2317 # functions are called through ok and exits
. "$(dirname "$0")/../lib.sh"

cp "$build/tensorguard" . # where another user may run it too
ok 'keys' tensorguard keygen --type signing --out keys --no-passphrase
chmod 755 "$scratch" "$here" && chmod 777 "$here"
mkfifo pipe
chmod 666 pipe

# A program that waits, with its keys loaded, for a package on standard input.
start_waiting() { # COMMAND-PREFIX...
	"$@" ./tensorguard verify - --trust keys/signing.pub <pipe >/dev/null 2>&1 &
	pid=$!
	exec 7>pipe # it has opened the pipe when this returns
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		[ "$(awk '/^Max core file size/ { print $5 $6 }' "/proc/$pid/limits" 2>/dev/null)" != 00 ] || break
		sleep 0.1
	done
}
stop_waiting() {
	exec 7>&-
	wait "$pid" 2>/dev/null
	code=$?
}

ulimit -c unlimited 2>/dev/null
export ASAN_OPTIONS=handle_segv=0 # a sanitizer build must not get in first
start_waiting
is 'its core size limit, soft and hard' "$(awk '/^Max core file size/ { print $5, $6 }' "/proc/$pid/limits")" '0 0'
kill -SEGV "$pid"
stop_waiting
is 'a segmentation fault ends it' "$code" 139
is 'and leaves no core' "$(find . -name 'core*' | wc -l)" 0
rm -f core*

if ! command -v gdb >/dev/null; then
	skip 'gdb is not here to try gcore with'
	done_testing
fi
# the same ordinary user for both, where there is another one to be
as=()
[ "$(id -u)" -ne 0 ] || as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
attach() { # PID: exits 0 when the memory could be had
	rm -f "$here"/dump.*
	HOME=$here timeout 60 "${as[@]}" gcore -o "$here/dump" "$1" >"$out" 2>&1
	[ -s "$here/dump.$1" ]
}

"${as[@]}" sleep 60 &
plain=$!
sleep 0.2
if attach "$plain"; then
	start_waiting "${as[@]}"
	ok 'it runs and waits' kill -0 "$pid"
	exits 1 'gcore by the same user is refused' attach "$pid"
	stop_waiting
else
	skip 'no process of the same user can be attached to here at all'
fi
kill "$plain"
wait "$plain" 2>/dev/null
done_testing

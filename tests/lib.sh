# shellcheck shell=bash
# tests/lib.sh - what shell tests share: TAP on standard output, and a folder of their own.
#
#   . "$(dirname "$0")/../lib.sh"         # now in an empty folder, removed at the end
#   ok 'a key is made' tensorguard keygen --type signing --out keys
#   exits 5 'and never overwritten' tensorguard keygen --type signing --out keys
#   has 'it says why' err 'exists already'
#   is 'mode' "$(stat -c %a keys/signing.priv)" 600
#   done_testing
#
# The program is on the PATH. What a checked command wrote is in $out and $err (files) until the
# next one runs. A test that ends without done_testing has failed.
set -u
export LC_ALL=C

repo=$(cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
build=${TG_BUILD:-$repo/build/release} # dev/run-tests says which
case $build in /*) ;; *) build=$repo/$build ;; esac
export PATH=$build:$PATH

tap_n=0 tap_bad=0 tap_done=
scratch=$(mktemp -d "${TMPDIR:-/tmp}/tensorguard-test.XXXXXX") || exit 2
mkdir "$scratch/here" || exit 2
# shellcheck disable=SC2034  # $here is for the tests
here=$scratch/here out=$scratch/out err=$scratch/err
: >"$out"
: >"$err"
cd -- "$here" || exit 2
trap 'tap_end' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

tap_end() {
	local code=$? job=()
	exec 2>/dev/null # bash 5.2 has words of its own about jobs that end here
	jobs -p >"$scratch/jobs"
	mapfile -t job <"$scratch/jobs"
	[ ${#job[@]} -eq 0 ] || kill "${job[@]}" # what the test left running
	cd / && chmod -R u+rwX -- "$scratch"
	rm -rf -- "$scratch"
	[ -n "$tap_done" ] || exit $((code ? code : 1))
}

# ---- results ----

pass() { # NAME
	tap_n=$((tap_n + 1))
	printf 'ok %d - %s\n' "$tap_n" "$1"
}
fail() { # NAME [DETAIL...]
	tap_n=$((tap_n + 1)) tap_bad=$((tap_bad + 1))
	printf 'not ok %d - %s\n' "$tap_n" "$1"
	shift
	[ $# -eq 0 ] || note "$@"
}
skip() { # REASON: one check that cannot be made on this machine
	tap_n=$((tap_n + 1))
	printf 'ok %d # SKIP %s\n' "$tap_n" "$1"
}
skip_all() { # REASON: nothing of this test can be run here
	printf '1..0 # SKIP %s\n' "$1"
	tap_done=1
	exit 0
}
note() { # TEXT...: a diagnostic
	printf '%s\n' "$*" | sed 's/^/# /'
}
done_testing() {
	printf '1..%d\n' "$tap_n"
	tap_done=1
	exit $((tap_bad != 0))
}

# ---- checks ----

run() { # COMMAND...: sets $code; nothing is judged
	code=0
	"$@" >"$out" 2>"$err" </dev/null || code=$?
}
show() { # what the last command wrote, as diagnostics
	{ head -c 4000 "$out" && head -c 4000 "$err"; } | tr -cd '\n\t -~' | sed 's/^/# | /'
}
ok() { # NAME COMMAND...: it exits with 0
	local name=$1
	shift
	exits 0 "$name" "$@"
}
exits() { # CODE NAME COMMAND...: it exits with exactly this
	local want=$1 name=$2
	shift 2
	run "$@"
	if [ "$code" -eq "$want" ]; then
		pass "$name"
	else
		fail "$name" "exit code $code, $want expected: $*"
		show
	fi
}
is() { # NAME GOT WANT
	if [ "$2" = "$3" ]; then pass "$1"; else fail "$1" "got  '$2'" && note "want '$3'"; fi
}
has() { # NAME out|err|FILE TEXT: the text stands in it
	local file=$2
	case $file in out) file=$out ;; err) file=$err ;; esac
	if grep -qF -e "$3" -- "$file"; then
		pass "$1"
	else
		fail "$1" "'$3' is not in $2:"
		head -c 4000 -- "$file" | tr -cd '\n\t -~' | sed 's/^/# | /'
	fi
}
lacks() { # NAME out|err|FILE TEXT: it does not
	local file=$2
	case $file in out) file=$out ;; err) file=$err ;; esac
	if [ -r "$file" ] && ! grep -qF -e "$3" -- "$file"; then pass "$1"; else fail "$1" "'$3' is in $2"; fi
}
same() { # NAME FILE FILE: equal contents
	if cmp -s -- "$2" "$3"; then pass "$1"; else fail "$1" "$2 and $3 differ"; fi
}

#!/bin/bash
# The tour of README.md, every command as it stands there, in an empty folder: author and device.
# A command succeeds, unless '# exit code N' behind it says what it exits with.
# readme.sh --list prints the commands instead.
set -u
readme=$(cd -P -- "$(dirname -- "$0")/../.." && pwd)/README.md

commands() { # one a line, continued lines joined
	awk '/^```/ { inside = $0 == "```sh"; next }
		inside && !/^[ \t]*(#|$)/ {
			more = sub(/\\$/, "")
			sub(/^[ \t]+/, "")
			printf "%s%s", $0, more ? "" : "\n"
		}' "$readme"
}
if [ "${1:-}" = --list ]; then
	commands
	exit
fi

. "$(dirname "$0")/../lib.sh"
while IFS= read -r line <&3; do
	want=0
	if [[ $line =~ '# exit code '([0-9]+)$ ]]; then want=${BASH_REMATCH[1]}; fi
	exits "$want" "$line" bash -o pipefail -c "$line"
done 3< <(commands)

# what a reader would look at next
same 'the device has the weights' device/model/weights.bin author/my_model_v1/weights.bin
for side in author device; do # what is private never reached the other side
	other=device
	[ "$side" = author ] || other=author
	for key in "$side"/*.priv; do
		seed=$(sed 's/.*"private":{"classic":"\([^"]*\)".*/\1/' "$key")
		ok "$other has nothing of $key" bash -c '[ ${#1} -eq 43 ] && ! grep -rqF "$1" "$2"' - "$seed" "$other"
	done
done
is 'private keys are private' "$(stat -c %a ./*/*.priv | sort -u)" 600
ok 'a refused model leaves nothing behind' test ! -e device/model1
is 'the tour has an author and a device' "$([ "$(commands | wc -l)" -gt 15 ] && echo yes)" yes
done_testing

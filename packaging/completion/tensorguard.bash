# bash completion for tensorguard. Commands and options come from the program's own help.
_tensorguard_words() { # WORD...: those that begin with $cur
	# shellcheck disable=SC2207
	COMPREPLY=($(compgen -W "$*" -- "$cur"))
}
_tensorguard() {
	local program=$1 cur=$2 commands='/^commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' help option value
	local words=("${COMP_WORDS[@]:1:COMP_CWORD-1}")
	COMPREPLY=()
	[ "${words[0]-}" != tgsp ] || words=("${words[@]:1}")
	if [ ${#words[@]} -eq 0 ]; then
		_tensorguard_words "$("$program" -h 2>/dev/null | sed -n "$commands")" --version --help
		return
	fi
	help=$("$program" "${words[0]}" -h 2>/dev/null)
	value=$(sed -n "$commands" <<<"$help")
	if [ -n "$value" ]; then # a verb with commands of its own
		if [ ${#words[@]} -eq 1 ]; then
			_tensorguard_words "$value" --help
			return
		fi
		words=("${words[0]} ${words[1]}" "${words[@]:2}")
		# shellcheck disable=SC2086
		help=$("$program" ${words[0]} -h 2>/dev/null)
	fi
	option=
	[ ${#words[@]} -le 1 ] || option=${words[-1]}
	value=$(sed -n "s/^  $option \([^ ][^ ]*\) .*/\1/p" <<<"$help")
	case ${words[0]}:$option in
	keygen:--type) value='signing encryption both log witness repro' ;;
	*:--kind) value='model adapter update' ;;
	*:--role) value='author delegate' ;;
	*:--require) value='locked' ;;
	*:--result) value='success failure denied' ;;
	*:--*) ;;
	trust:) case $cur in -*) value= ;; *) value='add list remove' ;; esac ;;
	'evidence witness:') case $cur in -*) value= ;; *) value='serve keys' ;; esac ;;
	*) value= ;;
	esac
	case $value in
	'') ;;
	DIR | FOLDER)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return
		;;
	FILE* | *.npy | ID*)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	[A-Z]*) return ;; # a name, a number, a time
	*)
		_tensorguard_words "$value"
		return
		;;
	esac
	case $cur in
	-*) _tensorguard_words "$(sed -n 's/^  \(--[a-z0-9-]*\).*/\1/p' <<<"$help")" --help ;;
	*)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		;;
	esac
}
complete -F _tensorguard tensorguard

# bash completion for tensorguard. Verbs and options come from the program's own help.
_tensorguard() {
	local program=$1 cur=$2 verb=${COMP_WORDS[1]} option value
	COMPREPLY=()
	if [ "$verb" = tgsp ] && [ "$COMP_CWORD" -gt 1 ]; then
		verb=${COMP_WORDS[2]}
	fi
	if [ "$COMP_CWORD" -eq 1 ] || { [ "$COMP_CWORD" -eq 2 ] && [ "${COMP_WORDS[1]}" = tgsp ]; }; then
		# shellcheck disable=SC2207
		COMPREPLY=($(compgen -W "$("$program" -h 2>/dev/null |
			sed -n '/^commands:/,/^$/s/^  \([a-z]*\) .*/\1/p') --version --help" -- "$cur"))
		return
	fi
	option=${COMP_WORDS[COMP_CWORD - 1]}
	value=$("$program" "$verb" -h 2>/dev/null | sed -n "s/^  $option \([^ ][^ ]*\) .*/\1/p")
	case $option in
	--type) value='signing encryption both log witness repro' ;;
	--kind) value='model adapter update' ;;
	--role) value='author delegate' ;;
	--require) value='locked' ;;
	--*) ;;
	trust) case $cur in -*) value= ;; *) value='add list remove' ;; esac ;;
	*) value= ;;
	esac
	case $value in
	'') ;;
	DIR)
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
		mapfile -t COMPREPLY < <(compgen -W "$value" -- "$cur")
		return
		;;
	esac
	case $cur in
	-*)
		# shellcheck disable=SC2207
		COMPREPLY=($(compgen -W "$("$program" "$verb" -h 2>/dev/null |
			sed -n 's/^  \(--[a-z0-9-]*\).*/\1/p') --help" -- "$cur"))
		;;
	*)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		;;
	esac
}
complete -F _tensorguard tensorguard

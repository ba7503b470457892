#compdef tensorguard
# zsh completion for tensorguard. Commands and options come from the program's own help.
_tensorguard() {
	local program=${words[1]} commands='/^commands:/,/^$/s/^  \([a-z]*\)  *\(.*\)/\1:\2/p'
	local -a lines verb
	if [[ ${words[2]} == tgsp ]] && (( CURRENT > 2 )); then
		shift words
		(( CURRENT-- ))
	fi
	if (( CURRENT == 2 )); then
		lines=(${(f)"$($program -h 2>/dev/null | sed -n $commands)"})
		_describe command lines
		return
	fi
	verb=(${words[2]})
	lines=(${(f)"$($program $verb -h 2>/dev/null | sed -n $commands)"})
	if (( $#lines )); then # a verb with commands of its own
		if (( CURRENT == 3 )); then
			_describe command lines
			return
		fi
		verb+=(${words[3]})
	fi
	case "$verb:${words[CURRENT - 1]}" in
	keygen:--type) compadd signing encryption both log witness repro; return ;;
	*:--kind) compadd model adapter update; return ;;
	*:--role) compadd author delegate; return ;;
	*:--require) compadd locked; return ;;
	*:--result) compadd success failure denied; return ;;
	*:trust) compadd add list remove; return ;;
	'evidence witness:witness') compadd serve keys; return ;;
	esac
	if [[ $PREFIX == -* ]]; then
		lines=(${(f)"$($program $verb -h 2>/dev/null | sed -n 's/^  \(--[a-z0-9-]*\)\( [^ ]*\)\{0,1\}  *\(.*\)/\1:\3/p')"})
		_describe option lines
	else
		_files
	fi
}
_tensorguard "$@"

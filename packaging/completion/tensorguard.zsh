#compdef tensorguard
# zsh completion for tensorguard. Verbs and options come from the program's own help.
_tensorguard() {
	local program=${words[1]} verb
	local -a lines
	verb=${words[2]}
	if [[ $verb == tgsp ]] && (( CURRENT > 2 )); then
		shift words
		(( CURRENT-- ))
		verb=${words[2]}
	fi
	if (( CURRENT == 2 )); then
		lines=(${(f)"$($program -h 2>/dev/null | sed -n '/^commands:/,/^$/s/^  \([a-z]*\)  *\(.*\)/\1:\2/p')"})
		_describe command lines
		return
	fi
	case ${words[CURRENT - 1]} in
	--type) compadd signing encryption both log witness repro; return ;;
	--kind) compadd model adapter update; return ;;
	--role) compadd author delegate; return ;;
	--require) compadd locked; return ;;
	trust) compadd add list remove; return ;;
	esac
	if [[ $PREFIX == -* ]]; then
		lines=(${(f)"$($program $verb -h 2>/dev/null | sed -n 's/^  \(--[a-z0-9-]*\)\( [^ ]*\)\{0,1\}  *\(.*\)/\1:\3/p')"})
		_describe option lines
	else
		_files
	fi
}
_tensorguard "$@"

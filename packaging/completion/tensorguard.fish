# fish completion for tensorguard. Verbs and options come from the program's own help.
function __tensorguard_verb
    set -l words (commandline -opc)
    set -e words[1]
    if test "$words[1]" = tgsp
        set -e words[1]
    end
    echo $words[1]
end
function __tensorguard_options
    tensorguard (__tensorguard_verb) -h 2>/dev/null | string replace -rf '^  (--[a-z0-9-]+)( [^ ]+)? +(.*)' '$1\t$3'
end
function __tensorguard_verbs
    tensorguard -h 2>/dev/null | string replace -rf '^  ([a-z]+) +(.*)' '$1\t$2' | string match -rv '^tensorguard'
end
function __tensorguard_after
    set -l words (commandline -opc)
    test "$words[-1]" = $argv[1]
end
complete -c tensorguard -n '__tensorguard_after --type' -f -a 'signing encryption both log witness repro'
complete -c tensorguard -n '__tensorguard_after --kind' -f -a 'model adapter update'
complete -c tensorguard -n '__tensorguard_after --role' -f -a 'author delegate'
complete -c tensorguard -n '__tensorguard_after --require' -f -a locked
complete -c tensorguard -n '__tensorguard_after trust' -f -a 'add list remove'
complete -c tensorguard -n 'test -z (__tensorguard_verb)' -f -a '(__tensorguard_verbs)'
complete -c tensorguard -n 'test -n (__tensorguard_verb); and string match -q -- "-*" (commandline -ct)' -f -a '(__tensorguard_options)'

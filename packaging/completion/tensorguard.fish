# fish completion for tensorguard. Commands and options come from the program's own help.
function __tensorguard_commands
    tensorguard $argv -h 2>/dev/null | string replace -rf '^  ([a-z]+) +(.*)' '$1\t$2'
end
# the verb, and the command of a verb that has some
function __tensorguard_verb
    set -l words (commandline -opc)
    set -e words[1]
    if test "$words[1]" = tgsp
        set -e words[1]
    end
    if set -q words[2]; and __tensorguard_commands $words[1] | string match -q -- "$words[2]"\t'*'
        echo $words[1]
        echo $words[2]
    else
        echo $words[1]
    end
end
function __tensorguard_options
    tensorguard (__tensorguard_verb) -h 2>/dev/null | string replace -rf '^  (--[a-z0-9-]+)( [^ ]+)? +(.*)' '$1\t$3'
end
function __tensorguard_verbs
    __tensorguard_commands | string match -rv '^tensorguard'
end
function __tensorguard_after
    set -l words (commandline -opc)
    test "$words[-1]" = $argv[1]
end
complete -c tensorguard -n '__tensorguard_after --type; and test (__tensorguard_verb)[1] = keygen' -f -a 'signing encryption both log witness repro'
complete -c tensorguard -n '__tensorguard_after --kind' -f -a 'model adapter update'
complete -c tensorguard -n '__tensorguard_after --role' -f -a 'author delegate'
complete -c tensorguard -n '__tensorguard_after --require' -f -a locked
complete -c tensorguard -n '__tensorguard_after --result' -f -a 'success failure denied'
complete -c tensorguard -n '__tensorguard_after trust' -f -a 'add list remove'
complete -c tensorguard -n '__tensorguard_after evidence' -f -a '(__tensorguard_commands evidence | string match -rv "^tensorguard")'
complete -c tensorguard -n '__tensorguard_after witness' -f -a 'serve keys'
complete -c tensorguard -n 'test -z "$(__tensorguard_verb)"' -f -a '(__tensorguard_verbs)'
complete -c tensorguard -n 'test -n "$(__tensorguard_verb)"; and string match -q -- "-*" (commandline -ct)' -f -a '(__tensorguard_options)'

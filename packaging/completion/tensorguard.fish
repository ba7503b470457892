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
    tensorguard (__tensorguard_verb) -h 2>/dev/null | string replace -rf '^  (--[a-z0-9-]+) *(.*)' '$1\t$2'
end
function __tensorguard_verbs
    tensorguard -h 2>/dev/null | string replace -rf '^  ([a-z]+) +(.*)' '$1\t$2' | string match -rv '^tensorguard'
end
complete -c tensorguard -n 'test -z (__tensorguard_verb)' -f -a '(__tensorguard_verbs)'
complete -c tensorguard -n 'test -n (__tensorguard_verb); and string match -q -- "-*" (commandline -ct)' -f -a '(__tensorguard_options)'

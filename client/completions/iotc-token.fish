# SPDX-License-Identifier: MIT
# fish completion of iotc-token. Verbs, options and what may follow them are read from --help, whose
# words for arguments (SELECTOR, NAME, HOST ...) say what to offer. Names come from a daemon that
# runs; none is started, and nothing is waited for longer than two seconds.

# The verbs, of iotc-token itself or behind these words.
function __iotc_token_verbs
    iotc-token $argv --help 2>/dev/null | string replace -rf '^  ([a-z][a-z-]*)  +(.*)$' '$1\t$2'
end

# What there is of a kind. The fields of a list are in iotc-token(1).
function __iotc_token_values
    switch "$argv[1]"
        case SELECTOR NAME HOST
            for line in (timeout 2 iotc-token list --no-start 2>/dev/null)
                set -l fields (string split \t -- $line)
                test $argv[1] = HOST; or printf '%s\t%s\n' $fields[1] $fields[4]
                test $argv[1] = NAME; and continue
                test "$fields[-1]" = -; and continue
                for app in (string split -n , -- $fields[-1])
                    printf '%s\t%s\n' $app $fields[1]
                end
            end
        case METHOD
            printf '%s\n' GET POST PUT PATCH DELETE
        case PATH
            printf '/api/%s\n' apiTokens deviceGroups deviceTemplates devices enrollmentGroups \
                fileUploads jobs organizations roles scheduledJobs users
        case ROLE
            printf '%s\n' administrator builder operator
        case FILE
            __fish_complete_path (commandline -ct)
        case BODY
            string match -q '@*' -- (commandline -ct); or return
            __fish_complete_path (string sub -s 2 -- (commandline -ct)) | string replace -r '^' @
    end
end

function __iotc_token_complete
    command -q iotc-token; or return
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -e words[1]
    if not set -q words[1]
        __iotc_token_verbs
        printf '%s\n' --help --version
        return
    end
    set -l verb $words[1]
    set -e words[1]
    if contains -- $verb api-token app
        if not set -q words[1]
            __iotc_token_verbs $verb
            return
        end
        set -a verb $words[1]
        set -e words[1]
    end
    if test $verb[1] = exec; and set -l at (contains -i -- -- $words)
        set -l command $words[(math $at + 1)..]
        complete -C (string join ' ' -- (string escape -- $command) $current)
        return
    end

    set -l help (iotc-token $verb --help 2>/dev/null)
    set -l kinds (string match -r "^[^ ]+ iotc-token $verb \[?([A-Z]+)(?: \[([A-Z]+))?" -- $help[1])[2..]
    set -l takes
    set -l options
    for line in $help
        string match -qr '^  (-(?<letter>[A-Za-z]), )?(?<name>--[a-z-]+)( (?<value>[A-Z]+))?  +(?<text>.*)$' -- $line
        or continue
        set -a options $name\t$text
        test -n "$value"; or continue
        set -a takes $name=$value
        test -n "$letter"; and set -a takes -$letter=$value
    end

    set -l before $words[-1]
    if set -l m (string match -r '^(--[a-z-]+)=' -- $current)
        set -l kind (string replace -f -- "$m[2]=" '' $takes)
        __iotc_token_values $kind | string replace -r '^' -- $m[1]
        return
    end
    for take in $takes
        if test "$before" = (string split -m 1 = -- $take)[1]
            __iotc_token_values (string split -m 1 = -- $take)[2]
            return
        end
    end
    if string match -q -- '-*' $current
        printf '%s\n' $options
        return
    end
    set -l skip 0
    set -l n 1
    for word in $words
        if test $skip = 1
            set skip 0
        else if string match -q -- '-*' $word
            string match -q -- "$word=*" $takes; and set skip 1
        else
            set n (math $n + 1)
        end
    end
    set -q kinds[$n]; and __iotc_token_values $kinds[$n]
end

complete -c iotc-token -f -a '(__iotc_token_complete)'

# SPDX-License-Identifier: MIT
# bash completion of iotc-token. Verbs, options and what may follow them are read from --help, whose
# words for arguments (SELECTOR, NAME, HOST ...) say what to offer. Names come from a daemon that
# runs; none is started, and nothing is waited for longer than two seconds.

# The verbs, of iotc-token itself or behind these words.
_iotc_token_verbs() {
    local line

    while IFS= read -r line; do
        [[ $line =~ ^\ \ ([a-z][a-z-]*)\ \  ]] && printf '%s\n' "${BASH_REMATCH[1]}"
    done < <(iotc-token "$@" --help 2>/dev/null)
}

# Set the caller's kinds, options and takes by the help of a verb.
_iotc_token_read_help() {
    local line usage="^[^ ]+ iotc-token $* \[?([A-Z]+)( \[([A-Z]+))?"
    local option='^  (-([A-Za-z]), )?(--[a-z-]+)( ([A-Z]+))?  '

    while IFS= read -r line; do
        if [[ $line =~ $usage ]]; then
            kinds=("${BASH_REMATCH[1]}" "${BASH_REMATCH[3]}")
        elif [[ $line =~ $option ]]; then
            options+=("${BASH_REMATCH[3]}")
            if [[ ${BASH_REMATCH[5]} ]]; then
                takes[${BASH_REMATCH[3]}]=${BASH_REMATCH[5]}
                [[ ${BASH_REMATCH[2]} ]] && takes[-${BASH_REMATCH[2]}]=${BASH_REMATCH[5]}
            fi
        fi
    done < <(iotc-token "$@" --help 2>/dev/null)
}

# What there is of a kind. The fields of a list are in iotc-token(1).
_iotc_token_values() {
    local line apps

    case $1 in
    SELECTOR | NAME | HOST)
        while IFS= read -r line; do
            apps=${line##*$'\t'}
            [[ $1 == HOST ]] || printf '%s\n' "${line%%$'\t'*}"
            [[ $1 == NAME || $apps == - ]] || printf '%s\n' "${apps//,/$'\n'}"
        done < <(timeout 2 iotc-token list --no-start 2>/dev/null)
        ;;
    METHOD) printf '%s\n' GET POST PUT PATCH DELETE ;;
    PATH) printf '/api/%s\n' apiTokens deviceGroups deviceTemplates devices enrollmentGroups \
        fileUploads jobs organizations roles scheduledJobs users ;;
    ROLE) printf '%s\n' administrator builder operator ;;
    esac
}

_iotc_token() {
    # shellcheck disable=SC2034  # split is of _init_completion
    local cur prev words cword split kind='' i n=0 start=2
    local -a options=() kinds=()
    local -A takes=()

    _init_completion -s -n : || return
    if ((cword == 1)); then
        mapfile -t COMPREPLY < <(compgen -W "$(_iotc_token_verbs) --help --version" -- "$cur")
        return
    fi
    if [[ ${words[1]} == @(api-token|app) ]]; then
        if ((cword == 2)); then
            mapfile -t COMPREPLY < <(
                compgen -W "$(_iotc_token_verbs "${words[1]}") --help" -- "$cur"
            )
            return
        fi
        start=3
    fi
    for ((i = start; i < cword; i++)); do
        if [[ ${words[i]} == -- ]]; then
            [[ ${words[1]} == exec ]] && _command_offset $((i + 1))
            return
        fi
    done

    _iotc_token_read_help "${words[@]:1:start-1}"
    if [[ ${takes[$prev]-} ]]; then
        kind=${takes[$prev]}
    elif [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "${options[*]}" -- "$cur")
        return
    else
        for ((i = start; i < cword; i++)); do
            case ${words[i]} in
            = | '') ;;
            -*) [[ ${takes[${words[i]}]-} ]] && ((i++)) ;;
            *) ((n++)) ;;
            esac
        done
        kind=${kinds[n]-}
    fi
    if [[ $kind == BODY && $cur == @* ]]; then
        mapfile -t COMPREPLY < <(compgen -f -P @ -- "${cur#@}")
        compopt -o filenames
        return
    fi
    if [[ $kind == FILE ]]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        compopt -o filenames
        return
    fi
    mapfile -t COMPREPLY < <(compgen -W "$(_iotc_token_values "$kind")" -- "$cur")
    __ltrim_colon_completions "$cur"
}

complete -F _iotc_token iotc-token

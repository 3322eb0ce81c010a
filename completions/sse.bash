# bash completion for sse

_sse() {
    local cur prev words cword
    _init_completion -n : || return

    local commands="serve tail replay"
    local common="-h --help"
    local listen="--listen --port-file --allow-host --threads --max-clients --max-head-bytes
        --head-timeout --stall-timeout --grace"

    # the command is the first word that is none of sse's own options
    local command="" word
    for word in "${words[@]:1:cword-1}"; do
        case $word in
            -*) ;;
            *) command=$word; break ;;
        esac
    done

    if [[ -z $command ]]; then
        if [[ $cur == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W "$common -V --version" -- "$cur")
        else
            mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$cur")
        fi
        return
    fi

    local values=""
    case $command:$prev in
        serve:--input) values="lines json sse" ;;
        serve:--on-eof) values="exit hold" ;;
        serve:--overflow) values="block drop disconnect" ;;
        tail:-o | tail:--output) values="pretty data json sse raw" ;;
        tail:--color) values="auto always never" ;;
        tail:-X | tail:--request) values="GET POST PUT DELETE" ;;
        serve:--listen | replay:--listen)
            if [[ $cur == unix:* ]]; then
                cur=${cur#unix:}
                _filedir
                return
            fi
            values="127.0.0.1:8080 127.0.0.1:0 unix:"
            ;;
        *:--port-file | tail:--record | tail:--cacert | tail:--cert | tail:--key)
            _filedir
            return
            ;;
        tail:-d | tail:--data | tail:--json | tail:-H | tail:--header)
            if [[ $cur == @* ]]; then
                cur=${cur#@}
                _filedir
                COMPREPLY=("${COMPREPLY[@]/#/@}")
            fi
            return
            ;;
        # a value that nobody can guess
        serve:--event | serve:--retry | serve:--max-event-bytes | serve:--wait-clients | \
            serve:--history | serve:--history-bytes | serve:--path | serve:--keepalive | \
            tail:-e | tail:--event | tail:-n | tail:--count | tail:--until | tail:--until-data | \
            tail:-m | tail:--max-time | tail:--idle-timeout | tail:-u | tail:--user | \
            tail:--bearer | tail:-A | tail:--user-agent | tail:-b | tail:--cookie | \
            tail:--retries | tail:--retry-max | tail:--last-event-id | tail:--connect-timeout | \
            tail:--read-timeout | tail:--max-event-bytes | \
            replay:--speed | replay:--max-gap | \
            *:--allow-host | *:--threads | *:--max-clients | *:--max-head-bytes | \
            *:--head-timeout | *:--stall-timeout | *:--grace)
            return
            ;;
    esac
    if [[ -n $values ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$values" -- "$cur")
        [[ ${COMPREPLY[*]} == *: ]] && compopt -o nospace
        __ltrim_colon_completions "$cur"
        return
    fi

    if [[ $cur == -* ]]; then
        local options=""
        case $command in
            serve)
                options="--input --event --retry --max-event-bytes --on-eof --wait-clients
                    --history --history-bytes --overflow --path --keepalive $listen"
                ;;
            tail)
                options="-o --output --color --record -e --event -n --count --until --until-data
                    -m --max-time --idle-timeout -X --request -H --header -d --data --json
                    -u --user --bearer -A --user-agent -b --cookie --no-reconnect --reconnect
                    --retry-connect --retries --retry-max --last-event-id --connect-timeout
                    --read-timeout --max-event-bytes -k --insecure --cacert --cert --key
                    -4 --ipv4 -6 --ipv6"
                ;;
            replay)
                options="--speed --no-wait --max-gap --stdout --once $listen"
                ;;
        esac
        mapfile -t COMPREPLY < <(compgen -W "$common $options" -- "$cur")
        return
    fi

    case $command in
        serve | replay) _filedir ;;
        tail) mapfile -t COMPREPLY < <(compgen -W "http:// https:// localhost: :8080" -- "$cur")
            compopt -o nospace
            __ltrim_colon_completions "$cur"
            ;;
    esac
} &&
    complete -F _sse sse

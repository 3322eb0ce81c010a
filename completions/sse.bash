# bash completion for sse; written by completions/generate

_sse() {
    local cur prev words cword
    _init_completion -n : || return

    # the command is the first word that is no option
    local command="" word
    for word in "${words[@]:1:cword-1}"; do
        [[ $word == -* ]] || { command=$word; break; }
    done

    local values="" files=""
    case $command:$prev in
        serve:--input) values="blocks json lines nul sse" ;;
        serve:--record) _filedir; return ;;
        serve:--on-eof) values="exit hold" ;;
        serve:--overflow) values="block disconnect drop" ;;
        serve:--store-ack) values="local replica" ;;
        serve:--store-password-file) _filedir; return ;;
        serve:--store-ca) _filedir; return ;;
        serve:--store-cert) _filedir; return ;;
        serve:--store-key) _filedir; return ;;
        serve:--listen) values="127.0.0.1:8080 127.0.0.1:0 unix:" files=unix: ;;
        serve:--port-file) _filedir; return ;;
        serve:--io) values="auto send uring" ;;
        serve:--publish-as) values="data type" ;;
        serve:--header) files=@ ;;
        serve:--busy) values="503 retry" ;;
        serve:--token-file) _filedir; return ;;
        serve:--tls-cert) _filedir; return ;;
        serve:--tls-key) _filedir; return ;;
        serve:--tls-client-ca) _filedir; return ;;
        serve:--publish-token-file) _filedir; return ;;
        serve:--admin) values="127.0.0.1:9090 unix:" ;;
        serve:--access-log) _filedir; return ;;
        # values that nobody can guess
        serve:--restart-delay | serve:--event | serve:--max-event-bytes | serve:--end-event | serve:--retry | serve:--wait-clients | serve:--history | serve:--history-bytes | serve:--start | serve:--gap-event | serve:--store | serve:--retain | serve:--store-sync | serve:--store-timeout | serve:--threads | serve:--backlog | serve:--trusted-proxy | serve:--socket-mode | serve:--path | serve:--max-channels | serve:--total-history-bytes | serve:--channel-idle | serve:--keepalive | serve:--keepalive-event | serve:--max-clients | serve:--max-clients-per-address | serve:--max-head-bytes | serve:--head-timeout | serve:--max-body-bytes | serve:--body-timeout | serve:--idle-timeout | serve:--stall-timeout | serve:--max-stream-time | serve:--grace | serve:--allow-host | serve:--cors | serve:--cors-header | serve:--user) return ;;
        tail:-o | tail:--output) values="data json pretty raw sse" ;;
        tail:--color) values="always auto never" ;;
        tail:--time) values="abs delta none rel" ;;
        tail:--stats-file) _filedir; return ;;
        tail:--state) _filedir; return ;;
        tail:--record) _filedir; return ;;
        tail:-X | tail:--request) values="GET POST PUT DELETE" ;;
        tail:-H | tail:--header) files=@ ;;
        tail:-d | tail:--data) files=@ ;;
        tail:--json) files=@ ;;
        tail:--netrc-file) _filedir; return ;;
        tail:--cacert) _filedir; return ;;
        tail:--cert) _filedir; return ;;
        tail:--key) _filedir; return ;;
        tail:--unix-socket) _filedir; return ;;
        tail:--exec-fail) values="stop warn" ;;
        # values that nobody can guess
        tail:--name | tail:--gap-warn | tail:-F | tail:--format | tail:--pointer | tail:--pointer-default | tail:-e | tail:--event | tail:--grep | tail:-n | tail:--count | tail:--until | tail:--until-data | tail:-m | tail:--max-time | tail:--idle-timeout | tail:-u | tail:--user | tail:--bearer | tail:-A | tail:--user-agent | tail:-x | tail:--proxy | tail:--noproxy | tail:-b | tail:--cookie | tail:--retries | tail:--retry | tail:--retry-max | tail:--last-event-id | tail:--read-timeout | tail:--max-event-bytes | tail:--connect-timeout | tail:--resolve | tail:--exec | tail:--jobs) return ;;
        replay:--repeat) values="cycle last" ;;
        replay:--listen) values="127.0.0.1:8080 127.0.0.1:0 unix:" files=unix: ;;
        replay:--port-file) _filedir; return ;;
        replay:--io) values="auto send uring" ;;
        replay:--header) files=@ ;;
        replay:--busy) values="503 retry" ;;
        replay:--token-file) _filedir; return ;;
        replay:--tls-cert) _filedir; return ;;
        replay:--tls-key) _filedir; return ;;
        replay:--tls-client-ca) _filedir; return ;;
        replay:--admin) values="127.0.0.1:9090 unix:" ;;
        replay:--access-log) _filedir; return ;;
        # values that nobody can guess
        replay:--speed | replay:--max-gap | replay:--interval | replay:--rate | replay:--from | replay:--to | replay:--output-dir | replay:--loop | replay:-e | replay:--event | replay:-n | replay:--count | replay:--post | replay:--match-ignore | replay:--drop-every | replay:--cut-after | replay:--stall-after | replay:--split | replay:--coalesce | replay:--jitter | replay:--status | replay:--times | replay:--retry-after | replay:--corrupt | replay:--seed | replay:--threads | replay:--backlog | replay:--trusted-proxy | replay:--socket-mode | replay:--max-clients | replay:--max-clients-per-address | replay:--max-head-bytes | replay:--head-timeout | replay:--max-body-bytes | replay:--body-timeout | replay:--idle-timeout | replay:--stall-timeout | replay:--max-stream-time | replay:--grace | replay:--allow-host | replay:--cors | replay:--cors-header | replay:--user) return ;;
        record:--mode) values="all new once" ;;
        record:--cacert) _filedir; return ;;
        record:--listen) values="127.0.0.1:8080 127.0.0.1:0 unix:" files=unix: ;;
        record:--port-file) _filedir; return ;;
        record:--busy) values="503 retry" ;;
        record:--token-file) _filedir; return ;;
        record:--tls-cert) _filedir; return ;;
        record:--tls-key) _filedir; return ;;
        record:--tls-client-ca) _filedir; return ;;
        record:--admin) values="127.0.0.1:9090 unix:" ;;
        record:--access-log) _filedir; return ;;
        # values that nobody can guess
        record:--mask-json | record:--match-ignore | record:--connect-timeout | record:--threads | record:--backlog | record:--trusted-proxy | record:--socket-mode | record:--max-clients | record:--max-clients-per-address | record:--max-head-bytes | record:--head-timeout | record:--max-body-bytes | record:--body-timeout | record:--idle-timeout | record:--stall-timeout | record:--max-stream-time | record:--grace | record:--allow-host | record:--cors | record:--cors-header | record:--user) return ;;
        check:-o | check:--output) values="github json junit text" ;;
        check:--color) values="always auto never" ;;
        check:--fail-on) values="error note warn" ;;
        check:-X | check:--request) values="GET POST PUT DELETE" ;;
        check:-H | check:--header) files=@ ;;
        check:-d | check:--data) files=@ ;;
        check:--json) files=@ ;;
        check:--netrc-file) _filedir; return ;;
        check:--cacert) _filedir; return ;;
        check:--cert) _filedir; return ;;
        check:--key) _filedir; return ;;
        check:--unix-socket) _filedir; return ;;
        # values that nobody can guess
        check:-t | check:--time | check:--long | check:--max-connections | check:--direct | check:--trigger | check:--publish | check:--origin | check:--fix | check:--explain | check:--require | check:--ignore | check:--severity | check:-u | check:--user | check:--bearer | check:-A | check:--user-agent | check:-x | check:--proxy | check:--noproxy | check:-b | check:--cookie | check:--connect-timeout | check:--resolve) return ;;
        bench:--resume) values="no stale yes" ;;
        bench:-o | bench:--output) values="csv json text" ;;
        bench:--html) _filedir; return ;;
        bench:--histogram) _filedir; return ;;
        bench:-X | bench:--request) values="GET POST PUT DELETE" ;;
        bench:-H | bench:--header) files=@ ;;
        bench:-d | bench:--data) files=@ ;;
        bench:--json) files=@ ;;
        bench:--netrc-file) _filedir; return ;;
        bench:--cacert) _filedir; return ;;
        bench:--cert) _filedir; return ;;
        bench:--key) _filedir; return ;;
        bench:--unix-socket) _filedir; return ;;
        # values that nobody can guess
        bench:-c | bench:--subscribers | bench:--connect-rate | bench:--ramp | bench:-t | bench:--time | bench:--warm-up | bench:-n | bench:--events | bench:--source | bench:--processes | bench:--leave | bench:--storm | bench:--storm-share | bench:--stalled | bench:--slow | bench:--slow-bytes | bench:--publish | bench:--rate | bench:--size | bench:--publish-header | bench:--time-pointer | bench:--time-regex | bench:--seq | bench:--max-event-bytes | bench:--fail | bench:--interval | bench:--pid | bench:-u | bench:--user | bench:--bearer | bench:-A | bench:--user-agent | bench:-b | bench:--cookie | bench:--connect-timeout | bench:--resolve) return ;;
    esac
    if [[ -n $files && $cur == "$files"* ]]; then
        cur=${cur#"$files"}
        _filedir
        [[ $files == @ ]] && COMPREPLY=("${COMPREPLY[@]/#/@}")
        return
    fi
    [[ $files == @ ]] && return

    if [[ -z $values && $cur == -* ]]; then
        local options="-h --help -V --version"
        case $command in
            serve) options="-h --help -f --follow --restart --restart-delay --pty --tee --input --split-cr --event --max-event-bytes --strict --record --end-event --retry --on-eof --wait-clients --history --history-bytes --overflow --start --gap-event --store --retain --store-sync --store-ack --store-password-file --store-ca --store-cert --store-key --store-timeout --listen --port-file --threads --backlog --trusted-proxy --socket-mode --io --path --publish --channels --max-channels --total-history-bytes --publish-as --channel-idle --keepalive --keepalive-event --header --max-clients --max-clients-per-address --busy --max-head-bytes --head-timeout --max-body-bytes --body-timeout --idle-timeout --stall-timeout --max-stream-time --grace --allow-host --cors --cors-credentials --cors-header --token-file --tls-cert --tls-key --tls-client-ca --publish-token-file --admin --access-log --user" ;;
            tail) options="-h --help --name -o --output --color --time --gap-warn --no-fold -F --format --pointer --pointer-default --join -v --verbose --stats --stats-file --state --record --bytes --record-body --no-mask -e --event --grep --invert -n --count --until --until-data -m --max-time --idle-timeout -X --request -H --header -d --data --json -u --user --netrc --netrc-file --bearer --compressed -A --user-agent -x --proxy --noproxy -b --cookie --no-reconnect --reconnect --resume-get --retry-connect --retries --retry --retry-max --last-event-id --read-timeout --max-event-bytes --ndjson --any --no-cookies --connect-timeout -k --insecure --cacert --cert --key --unix-socket --resolve -4 --ipv4 -6 --ipv6 --exec --jobs --exec-fail" ;;
            replay) options="-h --help --speed --no-wait --max-gap --interval --rate --from --to --output-dir --info --loop -e --event -n --count -f --follow --stdout --post --shared --once --repeat --match-body --match-ignore --drop-every --cut-after --stall-after --split --coalesce --jitter --reset --status --times --retry-after --no-comments --corrupt --wrong-type --seed --listen --port-file --threads --backlog --trusted-proxy --socket-mode --io --header --max-clients --max-clients-per-address --busy --max-head-bytes --head-timeout --max-body-bytes --body-timeout --idle-timeout --stall-timeout --max-stream-time --grace --allow-host --cors --cors-credentials --cors-header --token-file --tls-cert --tls-key --tls-client-ca --admin --access-log --user" ;;
            record) options="-h --help --mode --mask-json --no-mask --match-ignore --connect-timeout -k --insecure --cacert --listen --port-file --threads --backlog --trusted-proxy --socket-mode --max-clients --max-clients-per-address --busy --max-head-bytes --head-timeout --max-body-bytes --body-timeout --idle-timeout --stall-timeout --max-stream-time --grace --allow-host --cors --cors-credentials --cors-header --token-file --tls-cert --tls-key --tls-client-ca --admin --access-log --user" ;;
            check) options="-h --help -t --time --long --single --max-connections --direct --trigger --publish --origin --credentials -o --output --color --fix --explain --require --ignore --severity --fail-on -X --request -H --header -d --data --json -u --user --netrc --netrc-file --bearer --compressed -A --user-agent -x --proxy --noproxy -b --cookie --connect-timeout -k --insecure --cacert --cert --key --unix-socket --resolve -4 --ipv4 -6 --ipv6" ;;
            bench) options="-h --help -c --subscribers --connect-rate --ramp -t --time --warm-up -n --events --source --processes --yes --leave --storm --storm-share --resume --stalled --slow --slow-bytes --publish --rate --size --publish-header --time-pointer --time-regex --seq --max-event-bytes -o --output --fail --html --histogram --interval --pid -X --request -H --header -d --data --json -u --user --netrc --netrc-file --bearer -A --user-agent -b --cookie --connect-timeout -k --insecure --cacert --cert --key --unix-socket --resolve -4 --ipv4 -6 --ipv6" ;;
        esac
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
        return
    fi
    [[ -n $values ]] || case $command in
        "") values="serve tail replay record check bench help" ;;
        help) values="serve tail replay record check bench" ;;
        serve) _filedir; return ;;
        tail) values="http:// https:// localhost: :8080" ;;
        replay) _filedir; return ;;
        record) _filedir; return ;;
        check) values="http:// https:// localhost: :8080" ;;
        bench) values="http:// https:// localhost: :8080" ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$values" -- "$cur")
    [[ ${COMPREPLY[*]} == *[:/] ]] && compopt -o nospace
    __ltrim_colon_completions "$cur"
} &&
    complete -F _sse sse

# ---------------------------------------------------------------- what a name may look like

is_container() { [[ $1 =~ ^[a-z0-9][a-z0-9-]{0,62}$ ]]; }
is_id() { [[ $1 =~ ^[0-9a-f]{64}$ ]]; }
is_release() { [[ $1 =~ ^[a-z0-9][a-z0-9-]{0,31}$ ]]; }
is_version() { [[ $1 =~ ^[0-9A-Za-z._-]{1,64}$ ]]; }
is_slot() { [[ $1 == blue || $1 == green ]]; }
is_seconds() { [[ $1 =~ ^(0|[1-9][0-9]{0,4})$ ]]; } # 08 would be octal in arithmetic
is_format() { [[ $1 =~ ^[0-9]{1,3}$ ]] && ((10#$1 <= FORMAT)); }
is_header() { [[ "$*" =~ ^[a-z0-9-]{1,63}\ [a-z0-9][a-z0-9-]{0,31}\ [0-9]+\ [0-9]+\ [0-9A-Fa-f.:%a-z\ ]+$ ]]; }
is_connection() { [[ "$*" =~ ^[0-9]+\ [0-9]+\ [0-9A-Fa-f.:%a-z\ ]+$ ]]; }
is_share() { [[ $1 =~ ^[1-9][0-9]?$ ]]; } # per cent; all of it is a shift
is_port() { [[ $1 =~ ^[0-9]{1,5}$ ]]; }
is_address() { [[ $1 =~ ^[0-9a-f.:]{2,45}$ ]]; }
is_path() { [[ $1 =~ ^/[A-Za-z0-9/_.-]{0,200}$ ]]; }
is_base64() { [[ $1 =~ ^[A-Za-z0-9+/=]*$ ]]; }
is_state_file() { [[ $1 =~ ^releases/[a-z0-9][a-z0-9-]{0,31}/(release\.json|haproxy\.cfg|haproxy\.cfg\.next|slots\.map)$ ]]; }

# valid_entry VERB ARG...: the fixed list of what a journal may hold. Nothing in it is ever evaluated as shell.
valid_entry() {
  case ${1:-}:$# in
    remove:3 | keep:3 | rest:3 | stop:3) is_container "$2" && is_seconds "$3" ;;
    policy:3) { is_container "$2" || is_id "$2"; } && [[ $3 =~ ^(always|no|unless-stopped|on-failure(:[0-9]{1,5})?)$ ]] ;;
    take-port:3) is_id "$2" && is_seconds "$3" ;;
    give-back:2 | discard:2) is_id "$2" ;;
    forbid:3) is_release "$2" && is_container "$3" ;;
    ready:3 | resume:3) is_slot "$2" && is_container "$3" ;;
    maint:2) is_slot "$2" ;;
    vacate:3) is_slot "$2" && is_seconds "$3" ;;
    config:2 | forget:2) is_release "$2" ;;
    network:2) is_container "$2" ;;
    history:2 | tried:2) is_base64 "$2" ;;
    *) false ;;
  esac
}

# valid_deed VERB ARG...: what a living runner may ask for now (DO).
valid_deed() {
  case ${1:-}:$# in
    write:3) is_state_file "$2" && is_base64 "$3" ;;
    read:2) is_state_file "$2" || [[ $2 == history ]] ;;
    releases:1) : ;;
    space:2) is_path "$2" ;;
    begin-with:2 | check:2 | apply:2) is_release "$2" ;;
    fill:6) is_slot "$2" && is_container "$3" && is_address "$4" && is_port "$5" && is_version "$6" ;;
    shift:4) is_slot "$2" && [[ $2 != "$3" ]] && { is_slot "$3" || [[ $3 == none ]]; } && is_address "$4" ;;
    share:5) is_slot "$2" && is_slot "$3" && [[ $2 != "$3" ]] && is_address "$4" && is_share "$5" ;;
    stand-aside:4) is_slot "$2" && is_container "$3" && is_seconds "$4" ;;
    permit:3) is_release "$2" && is_container "$3" ;;
    policy:3 | forget:2 | forbid:3 | take-port:3) valid_entry "$@" ;;
    *) false ;;
  esac
}


# ---------------------------------------------------------------- deeds: what the runner asks for now

write_file() { # write_file PATH BASE64
  mkdir -p "${1%/*}" && base64 -d <<<"$2" >"$1.tmp" && fsync "$1.tmp" && mv -T "$1.tmp" "$1" && fsync "${1%/*}" && fsync releases
}

deed() { # deed VERB ARG...: its answer, if any, is one word on stdout
  proxy_down_is=1
  case $1 in
    write) write_file "$2" "$3" ;;
    read) [[ ! -e $2 ]] || encoded "$2" ;;
    releases) list_releases ;;
    space) df -Pk "$2" | awk 'NR == 2 { print $4 }' ;;
    begin-with) [[ -e current ]] || point_current "$2" ;;
    check) docker exec "$app-proxy" haproxy -c -f "/state/releases/$2/haproxy.cfg" 2>&1 ;;
    apply) apply_config "$2" ;;
    fill) fill "$2" "$3" "$4" "$5" "$6" ;;
    shift) shift_to "$2" "$3" "$4" ;;
    share) share_to "$2" "$3" "$4" "$5" ;;
    stand-aside) stand_aside "$2" "$3" "$4" ;;
    take-port) take_port "$2" "$3" ;;
    policy | forget | permit | forbid) "$@" ;;
  esac
}

list_releases() { # every release.json, as one array
  local file first=1
  {
    printf '['
    for file in releases/*/release.json; do
      [[ -e $file ]] || continue
      ((first)) || printf ','
      cat "$file"
      first=0
    done
    printf ']'
  } | base64 -w0
}

# A slot takes traffic only after a check that began after this: its health is set down, so that UP is news.
fill() {
  local slot=$1 name=$2 address=$3 port=$4 version=$5 answer
  answer=$(runtime "set server app/$slot state maint; set server app/$slot addr $address port $port; \
set server app/$slot fqdn $name; set map /state/current/slots.map $slot $version; \
set server app/$slot state drain; set server app/$slot health down") || return 1
  [[ "$(admin_state "$answer" "$slot")" =~ ^[0-9]+$ ]] || { printf '%s' "$answer"; return 1; }
}

# A proxy that restarted since has forgotten what the slot was filled with, and would send all traffic nowhere: so only a
# slot whose check passed, and which leads to this address, gets it.
shift_to() { # shift_to SLOT FROM|none ADDRESS
  local pairs=("$1 ready")
  [[ $2 == none ]] || pairs+=("$2 drain")
  set_slots_if_up "$1" "$3" "${pairs[@]}"
}

# The slot takes so much of the traffic, and the other one, which serves already, the rest.
share_to() { # share_to SLOT OTHER ADDRESS PERCENT
  set_slots_if_up "$1" "$3" "$1 weight $4" "$2 weight $((100 - $4))" "$1 ready"
}

set_slots_if_up() { # set_slots_if_up SLOT ADDRESS "SLOT STATE"...
  set_slots_if "app [0-9]+ $1 ${2//./\\.} 2 " "${@:3}" && return
  printf 'the slot %s is not up' "$1"
  return 1
}

# New settings for the release that serves now: checked by the proxy itself, swapped in by a rename, reloaded.
apply_config() {
  local folder=releases/$1 report
  report=$(docker exec "$app-proxy" haproxy -c -f "/state/$folder/haproxy.cfg.next" 2>&1) || { printf '%s' "$report"; return 1; }
  [[ -e $folder/haproxy.cfg.before ]] || ln "$folder/haproxy.cfg" "$folder/haproxy.cfg.before" || return 1
  mv -T "$folder/haproxy.cfg.next" "$folder/haproxy.cfg" && fsync "$folder" && reload_proxy
}

# THE COMMIT POINT: one rename. A reader of the link sees the old release or the new one, never neither.
point_current() {
  local before
  before=$(readlink current)
  ln -sfn "releases/$1" current.next && mv -T current.next current || return 1
  fsync . && return 0
  [[ -z $before ]] || { ln -sfn "$before" current.next && mv -T current.next current; } # it would not outlive a power cut
  return 1
}


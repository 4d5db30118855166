# ---------------------------------------------------------------- the host's port changes hands

# Docker gives a port to one container. HOLDER, which has it, is the proxy before this one or a container made by hand,
# known by its id; $app-proxy-next waits beside it. Until the commit Docker itself starts the holder after a reboot
# (`always`) and not the next one (`no`); the journal's `retire` turns that round. Each of these may run twice.

id_of() { docker ps -aq --no-trunc --filter "name=^/?$1\$"; } # nothing = no such container; fails: dockerd can't say

# What is in flight may end within SECONDS; meanwhile new connections are refused.
take_port() { # take_port HOLDER SECONDS: $app-proxy-next becomes $app-proxy, in the holder's place
  local named next
  named=$(id_of "$app-proxy") && next=$(id_of "$app-proxy-next") || return 1
  [[ $named != "$1" ]] || docker rename "$app-proxy" "$app-proxy-before" || return 1
  [[ -z $next ]] || docker rename "$app-proxy-next" "$app-proxy" || return 1
  stop "$1" "$2" && docker start "$app-proxy" >/dev/null
}

give_back() { # give_back HOLDER: it has the port again, and the proxy's name if that was its own
  local named before
  end_line # it leads to the one that goes
  named=$(id_of "$app-proxy") || return 1
  [[ -z $named || $named == "$1" ]] || stop_and_remove "$app-proxy" 1 || return 1
  before=$(id_of "$app-proxy-before") || return 1
  [[ -z $before ]] || docker rename "$app-proxy-before" "$app-proxy" || return 1
  docker start "$1" >/dev/null || or_gone "$1"
}

discard() { docker rm -f -v "$1" >/dev/null || or_gone "$1"; } # discard HOLDER

# shellcheck shell=bash
# For plan.sh and apply.sh: how they run Terraform.

# run FILE COMMAND...: what Terraform prints goes into the log, and into the file.
run() { unheard to_its_end "$@"; }

# What is printed must not speak to the runner.
unheard() {
  local token code=0
  token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  echo "::stop-commands::$token"
  "$@" || code=$?
  echo "::$token::"
  return "$code"
}

# The runner tells the script alone that the job is cancelled. Terraform has to hear of it: else it leaves its lock, and what it
# has made is in no state.
to_its_end() {
  local file=$1 code=0 cancelled='' teller child
  shift
  mkfifo "$file.pipe"
  tee "$file" <"$file.pipe" &
  teller=$!
  terraform -chdir="$DIRECTORY" "$@" >"$file.pipe" 2>&1 &
  child=$!
  trap 'cancelled=true; kill "$child" || true' INT TERM
  wait "$child" || code=$? # a signal ends the wait, too
  [[ -z $cancelled ]] || { code=0 && wait "$child" || code=$?; }
  trap - INT TERM
  wait "$teller"
  rm "$file.pipe"
  return "$code"
}

# Shared by run.sh and stop.sh: where the daemon of `make run` lives. Sourced, not run.
socket=${GANTRY_HOST:-unix:///run/gantry/gantry.sock}
pidfile=/run/gantry/gantry.pid
logfile=/var/log/gantry.log

say() { printf '==> %s\n' "$*" >&2; }
die() { printf 'gantry: %s\n' "$*" >&2; exit 1; }
as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }
gantry() { as_root env GANTRY_HOST="$socket" dist/gantry "$@"; }
answers() { gantry version >/dev/null 2>&1; }

start_daemon() {
  if answers; then return; fi
  say "starting the daemon (log: $logfile)"
  as_root sh -c "setsid '$PWD/dist/gantry' daemon -H '$socket' --pidfile '$pidfile' >>'$logfile' 2>&1 </dev/null &"
  tries=100
  until answers; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || { as_root tail -n 20 "$logfile" >&2; die 'the daemon did not come up; the end of its log is above'; }
    sleep 0.1
  done
}

stop_daemon() {
  pid=$(as_root cat "$pidfile" 2>/dev/null) || { say 'no daemon of make run is running'; return 0; }
  as_root kill "$pid" 2>/dev/null || { say 'the daemon has ended already'; return 0; }
  say "stopping the daemon (pid $pid)"
  while as_root kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
}

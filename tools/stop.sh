#!/bin/sh
# Ends the daemon that run.sh started. Containers go on unless the daemon was told otherwise.
set -eu
cd "$(dirname "$0")/.."
. tools/daemon.sh
stop_daemon

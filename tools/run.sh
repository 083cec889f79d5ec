#!/bin/sh
# The main job end to end: a daemon, a base image made without a registry, a container.
set -eu
cd "$(dirname "$0")/.."
. tools/daemon.sh

start_daemon
if ! gantry image inspect busybox >/dev/null 2>&1; then
  say 'making the busybox image from Debian'\''s busybox-static'
  gantry image bootstrap busybox
fi
say "gantry run --rm busybox echo 'Hello world'"
gantry run --rm busybox echo 'Hello world'
cat >&2 <<TEXT

It works. Next:
  export DOCKER_HOST=$socket   the docker CLI, Compose and SDKs now talk to Gantry
  dist/gantry run -it --rm busybox       a shell in a container
  dist/gantry run -d -p 8080:80 --name web busybox httpd -f -p 80
  dist/gantry ps; dist/gantry logs web; dist/gantry rm -f web
  dist/gantry image bootstrap debian     Debian, made from its packages
  make stop                              end the daemon
TEXT

#!/bin/sh
# Installs what Gantry needs and this machine lacks. Quick when nothing is missing.
#
#   setup.sh check   npm packages only
#   setup.sh run     and the Debian packages the engine runs on
#   setup.sh test    and those the tests use (a docker CLI among them)
#   setup.sh vm      npm packages, and what a virtual machine for tests is made with
set -eu
cd "$(dirname "$0")/.."

say() { printf '==> %s\n' "$*" >&2; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"
  elif command -v sudo >/dev/null 2>&1; then sudo "$@"
  else die "root rights are needed for: $* (become root, or install sudo)"; fi
}

npm_packages() {
  command -v npm >/dev/null 2>&1 || die 'npm is missing: install it with your package manager (Debian: apt-get install npm)'
  if [ node_modules/.setup-stamp -nt package-lock.json ] && [ -x node_modules/.bin/bun ]; then return; fi
  say 'installing npm packages'
  npm ci --no-audit --no-fund --loglevel=error >&2
  # npm may leave the install script of the pinned runtime to the user's approval.
  node_modules/.bin/bun --version >/dev/null 2>&1 || (cd node_modules/bun && node install.js >&2)
  node_modules/.bin/bun --version >/dev/null 2>&1 || die 'the pinned Bun does not run on this machine'
  touch node_modules/.setup-stamp
}

missing=''
want_file() { [ -e "$1" ] || missing="$missing $2"; }
want_command() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || [ -x "/sbin/$1" ] || missing="$missing $2"; }
want_library() { ls /usr/lib/*/"$1" /lib/*/"$1" >/dev/null 2>&1 || missing="$missing $2"; }

engine_packages() {
  want_command runc runc
  want_command crun crun
  want_command conmon conmon
  want_command ip iproute2
  want_library libnftables.so.1 libnftables1
  want_library libseccomp.so.2 libseccomp2
  [ -x /usr/bin/tini-static ] || want_command tini tini
  # An existing /bin/busybox may be a cut-down or dynamic one; the package's is neither.
  dpkg-query -W -f '${Status}' busybox-static 2>/dev/null | grep -q 'ok installed' || missing="$missing busybox-static"
}

test_packages() {
  want_command docker docker.io
  want_command dockerd docker.io
  want_command nft nftables
  want_command iptables iptables
  want_command openssl openssl
  want_command ps procps
  want_command zsh zsh
  want_command fish fish
  /usr/bin/python3 -c 'import docker' 2>/dev/null || missing="$missing python3-docker"
}

vm_packages() {
  want_command qemu-system-x86_64 qemu-system-x86
  want_command mmdebstrap mmdebstrap
  want_command mkfs.ext4 e2fsprogs
  want_command git git
  want_command busybox busybox-static
}

install_missing() {
  [ -n "$missing" ] || return 0
  command -v apt-get >/dev/null 2>&1 || die "please install:$missing (apt-get was not found: Debian and Ubuntu are set up automatically)"
  say "installing Debian packages:$missing"
  # A package's service must not start: tests start their own daemons, apart from the machine's.
  policy=/usr/sbin/policy-rc.d
  held=''
  if [ ! -e "$policy" ]; then
    held=yes
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod +x "$policy"
  fi
  status=0
  { as_root apt-get update -q && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing; } >/tmp/gantry-setup.$$.log 2>&1 || status=$?
  [ -z "$held" ] || as_root rm -f "$policy"
  [ "$status" -eq 0 ] || { tail -n 20 /tmp/gantry-setup.$$.log >&2; rm -f /tmp/gantry-setup.$$.log; die "apt-get could not install:$missing"; }
  rm -f /tmp/gantry-setup.$$.log
}

case "${1:-run}" in
check) npm_packages ;;
run) npm_packages; engine_packages; install_missing ;;
test) npm_packages; engine_packages; test_packages; install_missing ;;
vm) npm_packages; engine_packages; vm_packages; install_missing ;;
*) die "unknown step '$1' (check, run, test or vm)" ;;
esac

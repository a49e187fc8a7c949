#!/usr/bin/env bash
# Writes .sqlx: what the database says of every query, so that builds check queries without a database. Run it after
# a change of a query or of migrations/, and commit the result.
set -euo pipefail
cd "$(dirname "$0")/.."

bin=.retailcast/postgres/bin
[ -x "$bin/initdb" ] || bin=/var/lib/retailcast/postgres/bin
work=$(mktemp -d)
chmod 755 "$work"
mkdir "$work/db"
as=()
if [ "$(id -u)" -eq 0 ]; then
    chown nobody "$work/db"
    as=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
fi
stop() { "${as[@]}" "$bin/pg_ctl" -D "$work/db/data" -m immediate stop >/dev/null 2>&1 || true; rm -rf "$work"; }
trap stop EXIT

"${as[@]}" "$bin/initdb" -D "$work/db/data" -U retailcast --auth=trust --encoding=UTF8 --locale=C.UTF-8 >/dev/null
"${as[@]}" "$bin/pg_ctl" -D "$work/db/data" -l "$work/db/log" -w \
    -o "-c listen_addresses= -c unix_socket_directories=$work/db" start >/dev/null
for migration in migrations/*.sql; do
    "$bin/psql" -q -v ON_ERROR_STOP=1 -h "$work/db" -U retailcast -d postgres -f "$migration"
done

rm -rf .sqlx
mkdir .sqlx
export DATABASE_URL="postgresql://retailcast@localhost/postgres?host=$work/db"
export SQLX_OFFLINE=false SQLX_OFFLINE_DIR="$PWD/.sqlx"
# The macros write while they expand, so the crate has to be checked anew, with the features that tests have.
touch host/server/src/lib.rs
cargo check --workspace --tests
echo "$(find .sqlx -name '*.json' | wc -l) queries in .sqlx"

#!/usr/bin/env bash
# sqlx-data.sh check|write: the query data in .sqlx against the migrations and the queries.
#
# Runs inside with-postgres.sh. Builds the schema from migrations/, lets the compiler ask the
# live database about every checked query, and compares the answers with .sqlx (check) or puts
# them there (write).
set -euo pipefail

mode=${1:-}
if [[ $mode != check && $mode != write ]]; then
    echo "sqlx-data: usage: sqlx-data.sh check|write" >&2
    exit 2
fi
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

# Only the ledger crate uses checked queries.
package=syncline-ledger
library=syncline_ledger

fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
mkdir "$fresh/data"

database="sqlx_data_$$"
psql=("$SYNCLINE_PG_BINDIR/psql" --no-psqlrc --quiet --set ON_ERROR_STOP=1)
"${psql[@]}" --command "create database $database" "$SYNCLINE_TEST_POSTGRES_URL"
url=${SYNCLINE_TEST_POSTGRES_URL%/*}/$database
shopt -s nullglob
for migration in migrations/*.sql; do
    [[ $migration == *.down.sql ]] && continue
    if ! PGOPTIONS='--client-min-messages=warning' "${psql[@]}" --file "$migration" "$url"; then
        echo "sqlx-data: $migration does not apply to an empty database" >&2
        exit 1
    fi
done

# The macros write the data while the crate compiles, so it must compile, and cargo does not
# know that. A first run that finds the crate fresh tells which unit that is; its record is
# dropped and the second run compiles this one crate. The sources keep their times, and the
# units that tests and clippy use are not touched.
compile() {
    env DATABASE_URL="$url" SQLX_OFFLINE=false SQLX_OFFLINE_DIR="$fresh/data" \
        cargo check --quiet --package "$package" --lib --message-format json-render-diagnostics \
        >"$fresh/messages" || return 1
    artifact=$(grep '"reason":"compiler-artifact"' "$fresh/messages" |
        grep "\"name\":\"$library\"" | tail -n 1)
}
compile
if [[ $artifact == *'"fresh":true'* ]]; then
    file=$(sed -E 's/.*"filenames":\["([^"]+)".*/\1/' <<<"$artifact")
    hash=$(sed -E 's/.*-([0-9a-f]+)\.rmeta$/\1/' <<<"$file")
    record="$(dirname "$file")/../.fingerprint/$package-$hash"
    if [[ ! -d $record ]]; then
        echo "sqlx-data: cargo keeps its record of $package elsewhere than in $record" >&2
        exit 1
    fi
    rm -r "$record"
    compile
fi

if [[ $mode == write ]]; then
    mkdir -p .sqlx
    rm -f .sqlx/query-*.json
    files=("$fresh"/data/*.json)
    if ((${#files[@]} > 0)); then cp "${files[@]}" .sqlx/; fi
    echo "sqlx-data: ${#files[@]} queries written to .sqlx" >&2
    exit 0
fi
mkdir -p "$fresh/committed"
files=(.sqlx/query-*.json)
if ((${#files[@]} > 0)); then cp "${files[@]}" "$fresh/committed/"; fi
if ! diff --recursive --brief "$fresh/committed" "$fresh/data" >&2; then
    echo "sqlx-data: .sqlx fits neither queries nor migrations; commit what 'make sqlx' writes" >&2
    exit 1
fi

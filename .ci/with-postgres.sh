#!/usr/bin/env bash
# with-postgres.sh CMD...: runs CMD beside one private Postgres cluster, which ends with it.
#
# The test runner starts a process per test and has no teardown, hence this wrapper. CMD sees
#   SYNCLINE_TEST_POSTGRES_URL  a superuser's address on 127.0.0.1, database `postgres`
#   SYNCLINE_PG_BINDIR          the folder of the server programs
# The exit code is CMD's. Several may run at once: nothing is shared between them.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
say() { echo "with-postgres: $*" >&2; }

if (($# == 0)); then
    say "usage: with-postgres.sh CMD..."
    exit 2
fi
if ! bindir=$("$here/postgres-bindir.sh"); then
    say "no Postgres server programs found; run 'make setup'"
    exit 1
fi

# Postgres refuses to run as root. setpriv replaces itself by the program, so the pid we keep is
# the server's own; the death signal stops the server even when this script is killed with -9.
as_owner=()
if ((EUID == 0)); then
    owner=postgres
    getent passwd "$owner" >/dev/null || owner=nobody
    as_owner=(setpriv "--reuid=$owner" "--regid=$(id -g "$owner")" --clear-groups)
fi
detach=()
if setpriv --pdeathsig INT true 2>/dev/null; then
    detach=(--pdeathsig INT)
    ((EUID == 0)) || as_owner=(setpriv)
fi
run_as_owner() {
    if ((EUID == 0)); then "${as_owner[@]}" "$@"; else "$@"; fi
}

folder=
for base in "${TMPDIR:-/tmp}" /var/tmp /tmp; do
    candidate=$(mktemp -d "$base/syncline-test.XXXXXX" 2>/dev/null) || continue
    if ((EUID == 0)); then chown "$owner" "$candidate"; fi
    # A temporary folder below a home that the owner cannot enter is of no use.
    if run_as_owner test -w "$candidate"; then
        folder=$candidate
        break
    fi
    rmdir "$candidate"
done
if [[ -z "$folder" ]]; then
    say "no temporary folder that the Postgres user can write to; set TMPDIR to one"
    exit 1
fi

server=
child=
stop() {
    local code=$?
    trap - EXIT
    trap '' INT TERM HUP
    if [[ -n "$child" ]]; then kill -TERM -- "-$child" 2>/dev/null || true; fi
    if [[ -n "$server" ]]; then
        # INT is Postgres's fast shutdown; QUIT, its immediate one, when that takes too long.
        kill -INT "$server" 2>/dev/null || true
        for _ in $(seq 100); do
            kill -0 "$server" 2>/dev/null || break
            sleep 0.1
        done
        kill -QUIT "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "$folder"
    exit "$code"
}
trap stop EXIT
trap 'forward INT 130' INT
trap 'forward TERM 143' TERM
trap 'forward HUP 129' HUP
signalled=
forward() {
    signalled=$2
    [[ -n "$child" ]] || exit "$2"
    kill "-$1" -- "-$child" 2>/dev/null || true
}

password=$(head -c 18 /dev/urandom | base64 | tr '+/' '-_')
(umask 077 && printf '%s\n' "$password" >"$folder/password")
if ((EUID == 0)); then chown "$owner" "$folder/password"; fi
cd "$folder"
if ! run_as_owner "$bindir/initdb" --pgdata="$folder/data" --username=postgres \
    --pwfile="$folder/password" --auth=scram-sha-256 --encoding=UTF8 --locale=C \
    --no-sync --no-instructions >"$folder/initdb.log" 2>&1; then
    say "initdb failed:"
    cat "$folder/initdb.log" >&2
    exit 1
fi

# What tests need beyond the defaults. Nothing here survives a crash of the machine, and nothing
# has to. A test of durability starts a cluster of its own.
cat >>"$folder/data/postgresql.conf" <<CONF
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
shared_buffers = 128MB
fsync = off
full_page_writes = off
wal_level = logical
max_wal_size = 1GB
max_replication_slots = 60
max_slot_wal_keep_size = 8GB
max_wal_senders = 60
max_prepared_transactions = 20
track_commit_timestamp = on
log_min_messages = warning
timezone = 'UTC'
CONF

# The last line of this file is Postgres's own word on its state.
ready() { grep -q '^ready' "$folder/data/postmaster.pid" 2>/dev/null; }

# Own process groups: a Ctrl-C at the terminal reaches CMD through us, and the server last.
set -m
port=
for _ in $(seq 20); do
    # Below the range from which the kernel picks ports for outgoing connections.
    port=$((20000 + RANDOM % 12000))
    : >"$folder/server.log"
    "${as_owner[@]}" "${detach[@]}" "$bindir/postgres" -D "$folder/data" -p "$port" \
        </dev/null >>"$folder/server.log" 2>&1 &
    server=$!
    for _ in $(seq 600); do
        kill -0 "$server" 2>/dev/null || break
        if ready; then break 2; fi
        sleep 0.05
    done
    if kill -0 "$server" 2>/dev/null; then
        say "Postgres did not become ready in 30 s:"
        cat "$folder/server.log" >&2
        exit 1
    fi
    wait "$server" 2>/dev/null || true
    server=
    if ! grep -q 'could not bind\|could not create any TCP' "$folder/server.log"; then
        say "Postgres did not start:"
        cat "$folder/server.log" >&2
        exit 1
    fi
done
if [[ -z "$server" ]]; then
    say "no free port found in 20 attempts"
    exit 1
fi

cd "$OLDPWD"
export SYNCLINE_TEST_POSTGRES_URL="postgres://postgres:$password@127.0.0.1:$port/postgres"
export SYNCLINE_PG_BINDIR="$bindir"
"$@" <&0 &
child=$!
set +m

# A trapped signal ends `wait` early; CMD is given the time to end by itself.
code=0
while true; do
    wait "$child" && code=0 || code=$?
    kill -0 "$child" 2>/dev/null || break
done
child=
exit "${signalled:-$code}"

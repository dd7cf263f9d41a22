#!/usr/bin/env bash
# Prints the folder that holds the Postgres server programs; fails quietly when there is none.
# The product looks in the same places, in the same order (src/embedded/binaries.rs).
set -euo pipefail

has_server() { [[ -x "$1/postgres" && -x "$1/initdb" ]]; }

if command -v pg_config >/dev/null 2>&1; then
    dir=$(pg_config --bindir 2>/dev/null || true)
    if [[ -n "$dir" ]] && has_server "$dir"; then
        echo "$dir"
        exit 0
    fi
fi
# Newest first: 15 after 9.6.
while IFS= read -r dir; do
    if has_server "$dir"; then
        echo "$dir"
        exit 0
    fi
done < <(printf '%s\n' /usr/lib/postgresql/*/bin | sort --version-sort --reverse)
if program=$(command -v postgres 2>/dev/null); then
    dir=$(dirname "$(readlink -f "$program")")
    if has_server "$dir"; then
        echo "$dir"
        exit 0
    fi
fi
exit 1

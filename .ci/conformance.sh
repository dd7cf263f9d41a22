#!/usr/bin/env bash
# conformance.sh BINARY: plays the sessions of third-party clients against the simulated org.
#
# The clients come unmodified from their registries, at the versions that tests/conformance
# names, into a folder outside the clone. What is there already is not fetched again.
set -euo pipefail

say() { echo "conformance: $*" >&2; }
if (($# != 1)); then
    say "usage: conformance.sh BINARY"
    exit 2
fi
binary=$1
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../tests/conformance" && pwd)
names=(requirements.txt package.json package-lock.json)
stamp=$(cd "$here" && cat "${names[@]}" | sha256sum | cut -c 1-16)
cache="${XDG_CACHE_HOME:-$HOME/.cache}/syncline/conformance-$stamp"

if [[ ! -e $cache/complete ]]; then
    say "fetching simple-salesforce and jsforce into $cache"
    rm -rf "$cache"
    mkdir -p "$cache"
    python3 -m venv "$cache/python"
    "$cache/python/bin/pip" install --quiet --disable-pip-version-check --no-deps \
        --requirement "$here/requirements.txt"
    cp "$here/package.json" "$here/package-lock.json" "$cache/"
    npm ci --prefix "$cache" --silent --no-audit --no-fund
    touch "$cache/complete"
fi

work=$(mktemp -d)
org=
stop() {
    if [[ -n $org ]]; then
        kill -INT "$org" 2>/dev/null || true
        wait "$org" 2>/dev/null || true
    fi
    rm -rf "$work"
}
trap stop EXIT

"$binary" simulate salesforce --port 0 --json --tls-authority "$work/authority.pem" \
    >"$work/org.json" 2>"$work/org.log" &
org=$!
for _ in $(seq 100); do
    [[ ! -s $work/org.json ]] || break
    if ! kill -0 "$org" 2>/dev/null; then
        say "the simulated org did not start:"
        cat "$work/org.log" >&2
        exit 1
    fi
    sleep 0.1
done

# Both clients take proxies from the environment, and one ignores exceptions to them.
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
"$cache/python/bin/python" "$here/simple_salesforce_session.py" "$work/org.json" \
    "$work/authority.pem"
NODE_EXTRA_CA_CERTS="$work/authority.pem" node "$here/jsforce_session.mjs" "$work/org.json" \
    "$cache"

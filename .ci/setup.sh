#!/usr/bin/env bash
# setup.sh PART...: installs what a part needs and the machine lacks; asks nothing.
#
#   build    a C compiler and linker, for the crates that carry C
#   runtime  Postgres server programs for the private clusters, root certificates
#   test     cargo-nextest, the test runner
#   clients  Python with its virtual environments, Node and npm, for third-party clients
#
# Does nothing, at once, when nothing is missing. `make` and the Dockerfile both call it.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
nextest_version=0.9.143
say() { echo "setup: $*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }

packages=()
postgres_missing=false
nextest_missing=false

if (($# == 0)); then
    say "usage: setup.sh build|runtime|test|clients ..."
    exit 2
fi
for part in "$@"; do
    case $part in
    build)
        # The header stands for the C library's development files, which gcc does not pull in.
        if ! have cc || ! [[ -e /usr/include/stdlib.h || $(uname -s) != Linux ]]; then
            packages+=(gcc libc6-dev)
        fi
        ;;
    runtime)
        if ! "$here/postgres-bindir.sh" >/dev/null; then
            packages+=(postgresql)
            postgres_missing=true
        fi
        if [[ $(uname -s) == Linux && ! -e /etc/ssl/certs/ca-certificates.crt &&
            ! -e /etc/pki/tls/certs/ca-bundle.crt && ! -e /etc/ssl/cert.pem ]]; then
            packages+=(ca-certificates)
        fi
        ;;
    test)
        if ! cargo nextest --version >/dev/null 2>&1; then nextest_missing=true; fi
        ;;
    clients)
        # Debian keeps what makes a virtual environment apart from Python itself.
        if ! python3 -c 'import ensurepip, venv' >/dev/null 2>&1; then
            packages+=(python3-venv)
        fi
        if ! have node || ! have npm; then packages+=(nodejs npm); fi
        ;;
    *)
        say "unknown part '$part'; the parts are build, runtime, test and clients"
        exit 2
        ;;
    esac
done

by_hand() {
    say "$1"
    say "Please install by hand: ${packages[*]}"
    if $postgres_missing; then
        say "(only PostgreSQL's programs are needed, 15 or newer; no running server)"
    fi
    exit 1
}

# Debian's package creates and starts a cluster of its own unless told not to. The switch is a
# line in a file of the common package, which is put back as it was afterwards.
createcluster=/etc/postgresql-common/createcluster.conf
install_postgres() {
    "${as_root[@]}" apt-get install --yes --no-install-recommends postgresql-common
    local saved
    saved=$(mktemp)
    cp "$createcluster" "$saved"
    # shellcheck disable=SC2064 # the path is wanted as it is now
    trap "restore_createcluster '$saved'" EXIT
    "${as_root[@]}" sh -c "echo 'create_main_cluster = false' >>$createcluster"
    "${as_root[@]}" apt-get install --yes --no-install-recommends postgresql
}
restore_createcluster() {
    "${as_root[@]}" sh -c "cat '$1' >$createcluster"
    rm -f "$1"
}

if ((${#packages[@]} > 0)); then
    if ! have apt-get; then
        by_hand "this machine has no apt-get."
    fi
    as_root=(env DEBIAN_FRONTEND=noninteractive)
    if ((EUID != 0)); then
        if ! have sudo || ! sudo -n true 2>/dev/null; then
            by_hand "installing packages needs root, or sudo without a password; neither is given."
        fi
        as_root=(sudo -n env DEBIAN_FRONTEND=noninteractive)
    fi
    say "installing ${packages[*]}"
    {
        "${as_root[@]}" apt-get update
        others=()
        for package in "${packages[@]}"; do
            [[ $package == postgresql ]] || others+=("$package")
        done
        if ((${#others[@]} > 0)); then
            "${as_root[@]}" apt-get install --yes --no-install-recommends "${others[@]}"
        fi
        if $postgres_missing; then install_postgres; fi
    } >&2
fi

if $nextest_missing; then
    say "installing cargo-nextest $nextest_version (some minutes)"
    # Speed of building counts here, not speed of running. The caller's target folder is left
    # out of it: cargo removes the one it makes for this.
    env -u CARGO_TARGET_DIR \
        CARGO_PROFILE_RELEASE_LTO=off \
        CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
        CARGO_PROFILE_RELEASE_OPT_LEVEL=1 \
        cargo install --locked --quiet cargo-nextest --version "$nextest_version" >&2
fi

# What was installed must now be found: a silent half would show up much later.
for part in "$@"; do
    case $part in
    runtime)
        if ! "$here/postgres-bindir.sh" >/dev/null; then
            say "Postgres's server programs are still not found after the installation"
            exit 1
        fi
        ;;
    test)
        if $nextest_missing && ! cargo nextest --version >/dev/null 2>&1; then
            say "cargo does not find cargo-nextest, just installed: add cargo's bin folder to PATH"
            exit 1
        fi
        ;;
    esac
done

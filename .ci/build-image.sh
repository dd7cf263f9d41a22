#!/usr/bin/env bash
# build-image.sh FOLDER: builds the binary as the container image has it, and puts it there.
set -euo pipefail

if (($# != 1)); then
    echo "build-image: usage: build-image.sh FOLDER" >&2
    exit 2
fi
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export SQLX_OFFLINE=true
cargo build --locked --profile dist --package syncline --bin syncline
mkdir -p "$1"
install -m 0755 "${CARGO_TARGET_DIR:-target}/dist/syncline" "$1/syncline"

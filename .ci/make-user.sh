#!/usr/bin/env bash
# make-user.sh ID FOLDER: makes the unprivileged user `syncline` and a folder that is its own.
# For the container image, where there is nobody else. Does nothing a second time.
set -euo pipefail

if (($# != 2)); then
    echo "make-user: usage: make-user.sh ID FOLDER" >&2
    exit 2
fi
id=$1
folder=$2
if ! getent group syncline >/dev/null; then groupadd --gid "$id" syncline; fi
if ! getent passwd syncline >/dev/null; then
    useradd --uid "$id" --gid "$id" --home-dir "$folder" --no-create-home \
        --shell /usr/sbin/nologin syncline
fi
install --directory --mode=0750 --owner="$id" --group="$id" "$folder" "$folder/.syncline"

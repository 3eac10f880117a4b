#!/bin/sh
# Creates the three system accounts that Culver's processes run as, where they are missing.
set -eu

[ "$(id -u)" = 0 ] || exit 0
for account in dovecot dovenull vmail; do
    getent group "$account" > /dev/null || groupadd --system "$account"
    getent passwd "$account" > /dev/null ||
        useradd --system --gid "$account" --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin "$account"
done

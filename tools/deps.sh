#!/bin/sh
# Installs the Debian packages that are missing for the purposes named as arguments: build, demo, test, bench.
# Says nothing when all are there. Packaged servers (dovecot) are never started by their installation.
set -eu

build='libssl-dev libseccomp-dev libargon2-dev libcrypt-dev liblmdb-dev zlib1g-dev pkg-config libc6-dev libstdc++-12-dev binutils git ca-certificates'
demo='openssl curl'
test='openssl curl isync mutt python3 procps binutils util-linux adduser strace dovecot-imapd procmail maildrop'
bench='python3 openssl dovecot-imapd'

wanted=
for purpose in "$@"; do
    case $purpose in
        build) wanted="$wanted $build" ;;
        demo) wanted="$wanted $demo" ;;
        test) wanted="$wanted $test" ;;
        bench) wanted="$wanted $bench" ;;
        *) echo "deps.sh: unknown purpose: $purpose" >&2; exit 64 ;;
    esac
done

missing=
for package in $wanted; do
    status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
    echo "Missing Debian packages; install them as root: apt-get install$missing" >&2
    exit 1
fi

# A policy of the machine's own is kept and put back, whatever happens in between.
policy=/usr/sbin/policy-rc.d
kept=
restore() {
    rm -f "$policy"
    [ -z "$kept" ] || mv "$kept" "$policy"
}
if [ -e "$policy" ]; then
    kept=$policy.before-culver-deps
    mv "$policy" "$kept"
fi
trap restore EXIT
trap 'exit 130' INT TERM HUP
printf '#!/bin/sh\nexit 101\n' > "$policy"
chmod 755 "$policy"

echo "Installing:$missing"
report=$(mktemp)
export DEBIAN_FRONTEND=noninteractive
install() {
    # shellcheck disable=SC2086 # a list of packages
    apt-get install -y -qq --no-install-recommends $missing > "$report" 2>&1
}
if ! install; then
    if ! { apt-get update -qq > "$report" 2>&1 && install; }; then
        cat "$report" >&2
        rm -f "$report"
        exit 1
    fi
fi
rm -f "$report"

#!/bin/sh
# Puts the release build in place: install.sh DESTDIR PREFIX SYSCONFDIR.
# The roles (imap-login, imap, …) are links to the programs that play them. Existing configuration is kept.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
destination=$1 prefix=$2 sysconf=$3
built=$root/.build/release
libexec=$prefix/libexec/culver

for program in culver culveradm culver-lda login mail auth anvil log config; do
    if [ ! -x "$built/$program" ]; then
        echo "install: $program is not built; run \"make build\" first" >&2
        exit 1
    fi
done

put() { # MODE FILE DIRECTORY-OR-FILE
    install -m "$1" "$2" "$destination$3"
}

install -d "$destination$prefix/sbin" "$destination$prefix/bin" "$destination$libexec" "$destination$sysconf/culver" \
    "$destination$prefix/share/man/man1" "$destination$prefix/share/man/man8" "$destination$prefix/share/doc/culver" \
    "$destination$prefix/lib/systemd/system"
put 755 "$built/culver" "$prefix/sbin/culver"
put 755 "$built/culveradm" "$prefix/bin/culveradm"
put 755 "$built/culver-lda" "$libexec/culver-lda"
for program in login mail auth anvil log config; do
    put 755 "$built/$program" "$libexec/$program"
done
for role in imap-login pop3-login; do ln -sf login "$destination$libexec/$role"; done
for role in imap pop3; do ln -sf mail "$destination$libexec/$role"; done

put 644 "$root/docs/man/culver.8" "$prefix/share/man/man8/culver.8"
put 644 "$root/docs/man/culveradm.1" "$prefix/share/man/man1/culveradm.1"
put 644 "$root/docs/man/culver-lda.1" "$prefix/share/man/man1/culver-lda.1"
for page in README.md SECURITY.md CHANGELOG.md LICENSE; do put 644 "$root/$page" "$prefix/share/doc/culver/$page"; done
for page in "$root"/docs/*.md; do put 644 "$page" "$prefix/share/doc/culver/$(basename "$page")"; done

fill() { # TEMPLATE
    sed -e "s|@SBINDIR@|$prefix/sbin|g" -e "s|@BINDIR@|$prefix/bin|g" -e "s|@LIBEXECDIR@|$libexec|g" -e "s|@SYSCONFDIR@|$sysconf|g" "$1"
}
fill "$root/packaging/systemd/culver.service.in" > "$destination$prefix/lib/systemd/system/culver.service"
fill "$root/packaging/culver.conf.in" > "$destination$sysconf/culver/culver.conf.example"
chmod 644 "$destination$prefix/lib/systemd/system/culver.service" "$destination$sysconf/culver/culver.conf.example"
if [ ! -e "$destination$sysconf/culver/culver.conf" ]; then
    cp "$destination$sysconf/culver/culver.conf.example" "$destination$sysconf/culver/culver.conf"
fi

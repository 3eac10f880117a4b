#!/bin/sh
# A throw-away server below .demo: started, filled with three messages, read over IMAPS, stopped with Ctrl-C.
# DEMO_ONCE=1 stops it after the message has been read (for tests).
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
imap=${DEMO_IMAP_PORT:-1143} imaps=${DEMO_IMAPS_PORT:-1993}
demo=${DEMO_DIR:-$root/.demo}
master=

fail() { echo "demo: $*" >&2; exit 1; }

if [ -r "$demo/run/master.pid" ] && kill -0 "$(cat "$demo/run/master.pid")" 2> /dev/null; then
    fail "a demo is running already (process $(cat "$demo/run/master.pid"))"
fi
[ ! -L "$demo" ] || rm -rf "$(readlink -f "$demo")"
rm -rf "$demo"

# The server's processes run as other users, which must be able to reach the folder.
mkdir "$demo"
if [ "$(id -u)" = 0 ] && ! setpriv --reuid vmail --regid vmail --clear-groups test -x "$demo"; then
    rmdir "$demo"
    real=$(mktemp -d /tmp/culver-demo.XXXXXX)
    ln -s "$real" "$demo"
else
    real=$demo
fi
chmod 711 "$real"
"$root/tools/install.sh" "$real" /usr /etc

if [ "$(id -u)" = 0 ]; then
    owner=vmail login=dovenull internal=dovecot group=dovecot
else
    owner=$(id -un) login=$owner internal=$owner group=$(id -gn)
    echo 'Not root: all processes run as you, and the users of the demo are not protected from each other.'
fi
uid=$(id -u "$owner") gid=$(id -g "$owner")

mkdir "$real/home" "$real/log"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$real/key.pem" -out "$real/cert.pem" 2> /dev/null
chmod 600 "$real/key.pem"
secret=$(openssl passwd -6 demo)
for user in alice bob; do
    mkdir -m 700 "$real/home/$user"
    [ "$(id -u)" != 0 ] || chown "$owner:" "$real/home/$user"
    echo "$user:{SHA512-CRYPT}$secret:$uid:$gid::$real/home/$user::"
done > "$real/passwd"
chmod 640 "$real/passwd"
[ "$(id -u)" != 0 ] || chgrp "$internal" "$real/passwd"

cat > "$real/culver.conf" << END
base_dir = $real/run
state_dir = $real/state
libexec_dir = $real/usr/libexec/culver
log_path = $real/log/culver.log
instance_name = culver-demo
listen = 127.0.0.1
protocols = imap
mail_location = maildir:~/Maildir
first_valid_uid = 1
default_login_user = $login
default_internal_user = $internal
default_internal_group = $group
ssl = yes
ssl_cert = <$real/cert.pem
ssl_key = <$real/key.pem
passdb {
  driver = passwd-file
  args = $real/passwd
}
userdb {
  driver = passwd-file
  args = $real/passwd
}
service imap-login {
  inet_listener imap {
    port = $imap
  }
  inet_listener imaps {
    port = $imaps
    ssl = yes
  }
}
END
mkdir "$real/state"

# Processes of this demo: those that run a program below its folder.
left() {
    for process in /proc/[0-9]*; do
        case $(readlink "$process/exe" 2> /dev/null || true) in
            "$real"/*) echo "${process#/proc/}" ;;
        esac
    done
}
stop() {
    trap '' INT TERM HUP
    [ -n "$master" ] || return 0
    kill -TERM "$master" 2> /dev/null || true
    wait "$master" || true
    master=
    tries=0
    while [ -n "$(left)" ] && [ "$tries" -lt 100 ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
    remaining=$(left)
    if [ -n "$remaining" ]; then
        echo "demo: these processes had to be killed:" $remaining >&2
        kill -KILL $remaining 2> /dev/null || true
        exit 1
    fi
    echo 'Stopped; no process is left. The log is in .demo/log/culver.log.'
}
trap stop EXIT
trap 'exit 0' INT
trap 'exit 143' TERM HUP

# A session of its own: Ctrl-C reaches this script, which then stops the server in order.
setsid "$real/usr/sbin/culver" -F -c "$real/culver.conf" < /dev/null &
master=$!

fetch() { # PATH [OPTION …]
    path=$1
    shift
    curl -sS --max-time 10 --cacert "$real/cert.pem" --user alice:demo "imaps://localhost:$imaps/$path" --resolve "localhost:$imaps:127.0.0.1" "$@"
}
tries=0
until fetch '' > /dev/null 2>&1; do
    kill -0 "$master" 2> /dev/null || { cat "$real/log/culver.log" >&2 2> /dev/null || true; fail 'the server did not start'; }
    tries=$((tries + 1))
    [ "$tries" -lt 100 ] || { cat "$real/log/culver.log" >&2; fail 'the server does not answer'; }
    sleep 0.1
done

deliver() { "$real/usr/libexec/culver/culver-lda" -c "$real/culver.conf" -d alice -f "$1"; }
now=$(date -R)
deliver post@museum.example << END
From: Museum of Post and Pigeons <post@museum.example>
To: Alice <alice@culver.example>
Subject: Your visit on Saturday
Date: $now
Message-ID: <visit-4711@museum.example>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

Dear Alice,

two places are kept for you on Saturday at ten. The loft is up four flights
of stairs; the birds come home at half past.

With kind regards
The Museum
END
deliver bob@culver.example << END
From: Bob <bob@culver.example>
To: Alice <alice@culver.example>
Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe_aus_K=C3=B6ln?=
Date: $now
Message-ID: <greetings-1@culver.example>
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary="=_two"

--=_two
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

Sch=C3=B6ne Gr=C3=BC=C3=9Fe! See you on Saturday.
--=_two
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: quoted-printable

<p>Sch=C3=B6ne Gr=C3=BC=C3=9Fe! See you on <b>Saturday</b>.</p>
--=_two--
END
deliver billing@railway.example << END
From: "Railway, Tickets" <billing@railway.example>
To: Alice <alice@culver.example>
Subject: Ticket 52-881: Bonn to Cologne
Date: $now
Message-ID: <52-881@railway.example>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="=_ticket"

--=_ticket
Content-Type: text/plain; charset=us-ascii

Your ticket is attached. Platform 2, 8:14.
--=_ticket
Content-Type: text/csv; name="ticket.csv"
Content-Disposition: attachment; filename="ticket.csv"
Content-Transfer-Encoding: base64

ZnJvbSx0byx0aW1lCkJvbm4sQ29sb2duZSw4OjE0Cg==
--=_ticket--
END

echo
echo '== The first message, read back over IMAPS =='
fetch 'INBOX;MAILINDEX=1'
cat << END

== Culver is running ==
IMAP (STARTTLS)  127.0.0.1 port $imap
IMAPS            127.0.0.1 port $imaps   certificate: .demo/cert.pem
Users            alice and bob, password demo

  curl --cacert .demo/cert.pem -u alice:demo imaps://localhost:$imaps/INBOX -X 'FETCH 1:* ENVELOPE'
  mutt -f imaps://alice@localhost:$imaps/
  openssl s_client -connect localhost:$imaps -crlf -quiet
  .demo/usr/bin/culveradm -c .demo/culver.conf who
  tail -f .demo/log/culver.log

END
[ "${DEMO_ONCE:-}" = 1 ] && exit 0
echo 'Ctrl-C stops it.'
while kill -0 "$master" 2> /dev/null; do
    wait "$master" || true
done
master=
echo 'demo: the server ended by itself; see .demo/log/culver.log' >&2
exit 1

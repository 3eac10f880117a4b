"""Clients that log in and out as fast as they can, in processes of their own."""

import os
import socket
import ssl
import struct
import time


def until(connection, wanted):
    """Reads until a line that begins with `wanted` is complete."""
    data = b""
    while True:
        part = connection.recv(4096)
        if not part:
            raise EOFError(data)
        data += part
        if data.startswith(wanted) or b"\n" + wanted in data:
            if data.endswith(b"\n"):
                return data


def context():
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    return made


def session(port, user, tls, times=None):
    """One LOGIN and LOGOUT; appends the seconds from LOGIN to its answer to `times`."""
    connection = socket.create_connection(("127.0.0.1", port), 60)
    if tls is not None:
        connection = tls.wrap_socket(connection)
    until(connection, b"* OK")
    began = time.perf_counter()
    connection.sendall(b"a LOGIN %s secret\r\n" % user)
    until(connection, b"a OK")
    if times is not None:
        times.append(time.perf_counter() - began)
    connection.sendall(b"b LOGOUT\r\n")
    until(connection, b"b OK")
    # wait for the server's close, so that its work is done
    try:
        while connection.recv(4096):
            pass
    except OSError:
        pass
    connection.close()


def run(port, users, count, clients, tls=False):
    """`count` sessions by `clients` processes; returns the seconds it took."""
    began = time.perf_counter()
    children = []
    for number in range(clients):
        share = count // clients + (1 if number < count % clients else 0)
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                os.close(reading)
                made = context() if tls else None
                for index in range(share):
                    session(port, users[(number + index * clients) % len(users)].encode(), made)
                os.write(writing, struct.pack("=d", time.perf_counter()))
                status = 0
            finally:
                os._exit(status)
        os.close(writing)
        children.append((pid, reading))
    ended = []
    for pid, reading in children:
        data = os.read(reading, 8)
        os.close(reading)
        _, status = os.waitpid(pid, 0)
        if status != 0 or len(data) != 8:
            raise RuntimeError("a client failed")
        ended.append(struct.unpack("=d", data)[0])
    return max(ended) - began


def latencies(port, users, count):
    """Seconds from LOGIN to its answer, one client after the other."""
    times = []
    for index in range(count):
        session(port, users[index % len(users)].encode(), None, times)
    return times

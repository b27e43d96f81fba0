"""Python imports this at its start where PYTHONPATH names this folder: sockets then reach this machine only."""

import ipaddress
import socket

HERE = (None, "", b"", "localhost", b"localhost")


def allow(host):
    """Raise OSError unless `host` is this machine."""
    if host in HERE:
        return
    name = host.decode() if isinstance(host, bytes) else str(host)
    try:
        if ipaddress.ip_address(name).is_loopback:
            return
    except ValueError:  # a name
        pass
    raise OSError(f"network blocked in tests: {name}")


def guarded(method):
    """A method of socket that takes the address last, and does its work only for this machine."""
    def guard(sock, *arguments):
        if sock.family != getattr(socket, "AF_UNIX", None) and isinstance(arguments[-1], tuple):
            allow(arguments[-1][0])
        return method(sock, *arguments)

    return guard


def looked_up(function):
    """A function that looks up a host's name, for this machine only."""
    def look_up(host, *rest, **options):
        allow(host)
        return function(host, *rest, **options)

    return look_up


for name in ("connect", "connect_ex", "sendto"):
    setattr(socket.socket, name, guarded(getattr(socket.socket, name)))
for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
    setattr(socket, name, looked_up(getattr(socket, name)))

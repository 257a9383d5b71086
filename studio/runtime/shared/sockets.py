"""Listening sockets, and ports that are kept for other processes."""

from __future__ import annotations

import socket

from .errors import CannotListen


def listen(host: str, port: int) -> socket.socket:
    """Open a listening socket.

    Raises:
        CannotListen: when the address is unknown, taken, or not allowed.
    """
    listener = _bound(host, port)
    try:
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise _cannot_listen(host, port, error) from error
    listener.setblocking(False)
    return listener


def reserve(host: str, port: int) -> socket.socket:
    """Return a socket that keeps a port for processes of this user, who listen there themselves.

    Raises:
        CannotListen: when the address is unknown, taken, or not allowed.
    """
    with listen(host, port) as alone:  # to share a port with a stranger is no way to get it
        free = int(alone.getsockname()[1])
    return _bound(host, free, shared=True)


def _bound(host: str, port: int, shared: bool = False) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            # As bytes: for text Python loads the tables of international names.
            host.encode("ascii") if host.isascii() else host,
            port,
            type=socket.SOCK_STREAM,
            flags=socket.AI_PASSIVE,
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise _cannot_listen(host, port, error) from error
    option = socket.SO_REUSEPORT if shared else socket.SO_REUSEADDR
    try:
        listener.setsockopt(socket.SOL_SOCKET, option, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise _cannot_listen(host, port, error) from error
    return listener


def _cannot_listen(host: str, port: int, error: OSError) -> CannotListen:
    place = "port {} of {}".format(port, host)
    return CannotListen("Cannot listen at {}: {}.".format(place, error.strerror))

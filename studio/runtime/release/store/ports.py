"""Port of an endpoint: chosen once, stored with its service, and constant from then on."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import socket
import time
from pathlib import Path
from typing import Iterator

from ...shared.errors import ReleaseError
from .layout import ENDPOINTS, Layout

_LOWEST, _COUNT = 20_000, 10_000
"""Where ports are chosen from when none is usual: below those that the system gives to clients,
one of which could have the port while the server is down."""

_TRIES = 100
_PATIENCE_S = 3.0
"""The last worker of a server that was killed lets go of its port soon."""
_POLL_S = 0.05


def choose(layout: Layout, host: str, usual: int) -> int:
    """Return a port for an endpoint that has none: free now, and no other endpoint's.

    Args:
        usual: The first to be tried; 0 for one that follows from the folder's name.

    Returns:
        The port; 0, by which the server chooses for itself, when a hundred were taken.
    """
    others = set(_written_elsewhere(layout))
    for port in _candidates(layout.root, usual):
        if port not in others and is_free(host, port):
            return port
    return 0


def require_free(host: str, port: int) -> None:
    """Raise ReleaseError while another process listens at an endpoint's port."""
    deadline = time.monotonic() + _PATIENCE_S
    while not is_free(host, port):
        if time.monotonic() > deadline:
            raise ReleaseError(
                "port-taken",
                "On this target port {} is in use by another program.".format(port),
                "End that program, or let the endpoint have another port: "
                "studio deploy MODEL --port N (0 for any free one).",
            )
        time.sleep(_POLL_S)


def is_free(host: str, port: int) -> bool:
    """Return whether a server could listen there; True if only an attempt would show it."""
    if not port:
        return True
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with contextlib.closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as error:
            return error.errno != errno.EADDRINUSE
    return True


def _candidates(root: Path, usual: int) -> Iterator[int]:
    if usual:
        yield from range(usual, min(usual + _TRIES, 65_536))
        return
    first = int(hashlib.sha256(str(root).encode()).hexdigest()[:8], 16)
    for number in range(first, first + _TRIES):
        yield _LOWEST + number % _COUNT


def _written_elsewhere(layout: Layout) -> Iterator[int]:
    """Return the ports of the other endpoints of the target, whether they run or not."""
    for other in (layout.target, *sorted(layout.target.glob(ENDPOINTS + "/*"))):
        if other != layout.root:
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                yield int(json.loads(Layout(other).service.read_bytes())["port"])

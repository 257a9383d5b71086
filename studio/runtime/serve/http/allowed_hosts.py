"""The names under which a server answers, and the web pages that may ask it.

A browser does not let a page read what another site answers, with two exceptions. A page may send
a simple request without reading the answer: so a request with a foreign Origin is refused. And a
page whose name is pointed at this server's address counts as this server's own (DNS rebinding): so
a request under a name that a stranger could own is refused. An address is no such name, nor is a
name that the public Internet does not have.
"""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Iterable, Set

from .message import Headers, HttpError

ANY = "*"

_PRIVATE = (".local", ".internal", ".home.arpa")
"""Ends of names that the public Internet does not have; Kubernetes' end in ``.local``."""
_FOREIGN = "This server does not answer the web pages of {!r}."
_UNKNOWN = (
    "This server does not answer under the name {0!r}. If the name is its own, start it with "
    "--allowed-host {0}."
)


class HostPolicy:
    """Policy on the Host and the Origin of requests, against DNS rebinding and foreign pages."""

    def __init__(self, names: Iterable[str], *, local: bool, guarded: bool) -> None:
        """Store the configured names.

        Args:
            names: Accepted names in addition to its own; ``*.example.com`` for all below that
                name, ``*`` for any name at all.
            local: It listens at the loopback alone.
            guarded: Callers need a token, which a foreign page does not have.
        """
        given = set(names)
        # A foreign page lacks the token, so a guarded server on the network accepts any name.
        self._any = ANY in given or (guarded and not local)
        self._ends = tuple(name[1:] for name in given if name.startswith("*."))
        self._local = local
        self._named = frozenset(given)
        self._names = frozenset((*given, *own_names(Path("/etc/hosts"))))

    def check(self, headers: Headers) -> None:
        """Refuse what is meant for another server, or comes from the page of one.

        Raises:
            HttpError: 403.
        """
        host = headers.get("host", "").lower()
        name = _name_of(host)
        if host and not self._answers(name):
            raise HttpError(403, _UNKNOWN.format(name[:100]), close=True)
        origin = headers.get("origin")
        if origin is not None and not self._is_own(origin.lower(), host):
            raise HttpError(403, _FOREIGN.format(origin[:100]), close=True)

    def _answers(self, name: str) -> bool:
        if self._any or name in self._names or _is_address(name):
            return True
        if name.endswith(self._ends) or name.endswith(".localhost"):
            return True
        return not self._local and ("." not in name or name.endswith(_PRIVATE))

    def _is_own(self, origin: str, host: str) -> bool:
        """Return whether a page was loaded from here, perhaps through a proxy with another name."""
        scheme, _, authority = origin.partition("://")
        if scheme not in ("http", "https"):
            return False
        if authority == host:
            return True
        name = _name_of(authority)
        return name in self._named or (bool(self._ends) and name.endswith(self._ends))


def own_names(table: Path) -> Set[str]:
    """Return the names of this machine from itself and its hosts file, without a DNS query."""
    own = socket.gethostname().lower()
    found = {"localhost", own, own.partition(".")[0]}
    try:
        lines = table.read_text("utf-8", "replace").lower().splitlines()
    except OSError:
        return found
    for line in lines:
        names = set(line.partition("#")[0].split()[1:])
        if names & {own, own.partition(".")[0]}:
            found |= names
    return found


def _name_of(authority: str) -> str:
    """Return the name in ``name:port`` or ``[address]:port``."""
    if authority.startswith("["):
        return authority[1:].partition("]")[0]
    return authority.partition(":")[0].rstrip(".")


def _is_address(name: str) -> bool:
    family = socket.AF_INET6 if ":" in name else socket.AF_INET
    try:
        socket.inet_pton(family, name.partition("%")[0])
    except (OSError, ValueError):
        return False
    return True


def is_loopback(address: str) -> bool:
    """Return whether an address that a socket listens at is this machine's alone."""
    return address.startswith("127.") or address in ("::1", "localhost")

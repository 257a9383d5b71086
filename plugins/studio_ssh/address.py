"""The address of a board, as written in a URL."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from studio.api import UsageError

DEFAULT_PORT = 22


@dataclass(frozen=True, slots=True)
class Address:
    """Host, port and user of a connection."""

    host: str
    port: int
    user: str

    @classmethod
    def parse(cls, url: str) -> Address:
        """Read ``ssh://user@host:port``.

        Raises:
            UsageError: when it is no such URL, or holds a password.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port or DEFAULT_PORT
        except ValueError:
            host, port, parts = None, 0, urlsplit("")
        if parts.scheme != "ssh" or not host or parts.path not in ("", "/"):
            raise UsageError(
                f"{url!r} is not the address of a board.", hint="Write ssh://user@host:port."
            )
        if parts.password:
            raise UsageError(
                "A password does not belong in an address.", hint="Use a key or the SSH agent."
            )
        return cls(host, port, unquote(parts.username or _user_here()))

    @property
    def known_as(self) -> str:
        """The name in a known_hosts file."""
        return self.host if self.port == DEFAULT_PORT else f"[{self.host}]:{self.port}"

    def __str__(self) -> str:
        return self.host if self.port == DEFAULT_PORT else f"{self.host}:{self.port}"


def _user_here() -> str:
    """Return this computer's user, as ssh does.

    Raises:
        UsageError: where the system has no name for it, as in a bare container.
    """
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        raise UsageError(
            "The address has no user, and the user of this computer has no name.",
            hint="Write ssh://user@host:port.",
        ) from None

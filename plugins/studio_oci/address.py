"""Addresses of OCI registries, and the names that their specification allows."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from studio.api import UsageError

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_LONGEST = 255


@dataclass(frozen=True, slots=True)
class RegistryPlace:
    """Registry, and the path below which its repositories are.

    Attributes:
        host: Name or address, with a port where one is given.
        prefix: Path of the repositories, without slashes at its ends; may be empty.
        plain: Whether the connection is HTTP without TLS.
    """

    host: str
    prefix: str
    plain: bool

    @classmethod
    def of(cls, address: str) -> RegistryPlace:
        """Parse ``oci://HOST[:PORT][/PATH]``.

        Loopback addresses are reached without TLS, others with it; ``oci+http`` and ``oci+https``
        choose.

        Raises:
            UsageError: for another text.
        """
        try:
            parts = urlsplit(address)
            good = bool(parts.hostname) and parts.port != 0 and not parts.query
        except ValueError:
            good = False
        if not good or parts.scheme not in ("oci", "oci+http", "oci+https") or parts.fragment:
            raise UsageError(
                f"{address[:200]!r} is no address of an OCI registry.",
                hint="Write oci://HOST[:PORT]/PATH.",
            )
        if parts.username or parts.password:
            raise UsageError(
                "The address of a registry carries no login.",
                hint="Log in with: oras login HOST, or docker login HOST",
            )
        prefix = parts.path.strip("/")
        if prefix and not is_repository(prefix):
            raise UsageError(f"{prefix[:200]!r} is no path of an OCI registry.", hint=_HINT)
        plain = parts.scheme == "oci+http"
        plain = plain or (parts.scheme == "oci" and is_loopback(str(parts.hostname)))
        return cls(parts.netloc, prefix, plain)

    @property
    def text(self) -> str:
        """The address as results show it."""
        kind = "oci+http" if self.plain and not is_loopback(host_of(self.host)) else "oci"
        return f"{kind}://{self.host}/{self.prefix}".rstrip("/")

    def repository(self, name: str) -> str:
        """Return the repository of a model.

        Raises:
            UsageError: for a name that no repository can have.
        """
        found = f"{self.prefix}/{name}".lstrip("/")
        if not is_repository(found):
            raise UsageError(
                f"An OCI registry allows no repository {name[:200]!r}.",
                hint=f"{_HINT} Choose another name with --name.",
            )
        return found


_HINT = "Small letters and digits, with . _ - / between them."


def is_repository(text: str) -> bool:
    """Return whether the specification allows this name of a repository."""
    return len(text) <= _LONGEST and _REPOSITORY.fullmatch(text) is not None


def is_tag(text: str) -> bool:
    """Return whether the specification allows this tag."""
    return _TAG.fullmatch(text) is not None


def is_digest(text: object) -> bool:
    """Return whether a text is a SHA-256 in the form of OCI documents."""
    return isinstance(text, str) and _DIGEST.fullmatch(text) is not None


def host_of(netloc: str) -> str:
    """Return a host without its port and brackets."""
    return urlsplit(f"//{netloc}").hostname or ""


def is_loopback(host: str) -> bool:
    """Return whether a host is this computer by its very name."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

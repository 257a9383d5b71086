"""Addresses of fleets: ``goosebit://HOST[:PORT]/TENANT/GROUP`` and the same with ``hawkbit``."""

from __future__ import annotations

import re
import ssl
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from studio.api import UsageError

GOOSEBIT, HAWKBIT = "goosebit", "hawkbit"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_FORM = "goosebit://HOST[:PORT]/TENANT/GROUP or hawkbit://HOST[:PORT]/TENANT/GROUP"
_MOST_LOGIN = 4096


@dataclass(frozen=True, slots=True)
class FleetAddress:
    """A group of boards at one server.

    Attributes:
        kind: ``goosebit`` or ``hawkbit``.
        base: Address of the server: ``https://host:port``.
        user, password: Login; empty without one.
        context: TLS; None for plain HTTP.
    """

    kind: str
    base: str
    tenant: str
    group: str
    user: str = ""
    password: str = field(default="", repr=False)
    context: ssl.SSLContext | None = None


def parse_address(url: str, values: Mapping[str, Any]) -> FleetAddress:
    """Read the address of a target and its settings.

    Args:
        values: ``plain``, ``ca`` and ``login`` of the target's options.

    Raises:
        UsageError: when they cannot be used.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
        host = parts.hostname or ""
    except ValueError:
        host, port = "", None
    names = [one for one in parts.path.split("/") if one] if host else []
    if not host or len(names) not in (1, 2) or parts.query or parts.fragment or "@" in parts.netloc:
        raise UsageError(f"{url!r} is no address of a fleet.", hint=f"Its form: {_FORM}")
    for name in names:
        if not _NAME.fullmatch(name):
            raise UsageError(f"{name!r} is no name of a tenant or a group.")
    plain = bool(values.get("plain"))
    scheme = "http" if plain else "https"
    place = f"[{host}]" if ":" in host else host
    base = f"{scheme}://{place}" + (f":{port}" if port else "")
    user, password = _login(values.get("login"))
    context = None if plain else _context(values.get("ca"))
    group = names[1] if len(names) == 2 else "default"
    return FleetAddress(parts.scheme, base, names[0], group, user, password, context)


def _login(path: str | None) -> tuple[str, str]:
    """Return the login of a file: one line of the form ``user:password``."""
    if not path:
        return "", ""
    place = Path(path).expanduser()
    try:
        with place.open("rb") as file:
            mode = place.stat().st_mode
            text = file.read(_MOST_LOGIN).decode("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise UsageError(f"The login file {place} cannot be read.") from None
    if stat.S_IMODE(mode) & 0o077:
        raise UsageError(
            f"The login file {place} can be read by others.", hint=f"chmod 600 {place}"
        )
    user, colon, password = text.partition(":")
    if not colon or not text.isprintable():
        raise UsageError(
            f"The login file {place} is not of the form user:password.",
            hint="hawkBit's own users are written TENANT\\user:password.",
        )
    return user, password


def _context(ca: str | None) -> ssl.SSLContext:
    place = Path(ca).expanduser() if ca else None
    try:
        context = ssl.create_default_context(cafile=str(place) if place else None)
    except (OSError, ssl.SSLError):
        raise UsageError(f"The certificate file {place} cannot be read.") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context

"""ACCESS: the token and the certificate of the server, and their replacement.

A change is as safe as the switch that contains it. Both tokens are valid until the release is
committed, so that clients can change over without a refused request; then the old one ends. When
the release is rolled back, the new one ends. An old certificate is retained for the same time.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Optional, Tuple

from ...shared.access_tokens import fingerprint_of
from ...shared.errors import ReleaseError
from ...shared.files import remove, write_atomically
from ...shared.host_names import ALLOWED_HOSTS, is_host_pattern
from ...shared.records import read
from ..board import Board
from ..store.layout import Layout

LEAST_CHARACTERS = 16
_DAY_S = 86400.0
_RENEW_S = 30 * _DAY_S
_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_FACTS = "edgewright: "
"""Begins a line before the certificate, which readers of PEM pass over: what we know of it."""


class Access(NamedTuple):
    """Access rules of the server: token, TLS, and the host names that it accepts.

    Attributes:
        allowed_hosts: Names in addition to the server's own (see ``serve.hosts``).
    """

    token: bool = False
    tls: bool = False
    allowed_hosts: Tuple[str, ...] = ()


class AccessChange(NamedTuple):
    """Change of the access rules; empty values stay as they are.

    Attributes:
        token: ``none``, ``new`` or ``given``.
        value: The given token.
        tls: ``none`` or ``on``.
        allowed_hosts: Names in addition to the server's own; None for the present ones.
    """

    token: str = ""
    value: str = ""
    tls: str = ""
    allowed_hosts: Optional[Tuple[str, ...]] = None

    @property
    def replaces_token(self) -> bool:
        """Whether the change replaces the token."""
        return self.token in ("new", "given")


def desired(service: Mapping[str, object], wish: Mapping[str, object]) -> Access:
    """Return the requested access; values that a request omits are those of the running service.

    Args:
        wish: An ``AccessChange`` in JSON form.

    Raises:
        ReleaseError: when a name cannot be one.
    """
    now, change = read(Access, service), read(AccessChange, wish)
    hosts = change.allowed_hosts
    return Access(
        change.token != "none" if change.token else now.token,
        change.tls != "none" if change.tls else now.tls,
        now.allowed_hosts if hosts is None else _hosts(hosts),
    )


def _hosts(names: Sequence[str]) -> Tuple[str, ...]:
    """Return checked names: they become part of a command line in a systemd unit and a crontab."""
    wrong = next((one for one in names if not is_host_pattern(str(one))), None)
    if wrong is not None:
        sentence = "{!r} is not a valid host name.".format(str(wrong)[:100])
        raise ReleaseError("bad-request", sentence, "Use a name such as cam.example.com.")
    return tuple(map(str, names))


def options(layout: Layout, access: Access) -> list[str]:
    """Return the server's options for it."""
    found = []
    if access.token:
        found += ["--token-file", str(layout.token)]
    if access.tls:
        found += ["--cert", str(layout.certificate), "--key", str(layout.certificate)]
    return found


def variables(access: Access) -> list[str]:
    """Return variables that pass the server its names."""
    names = ",".join(access.allowed_hosts)
    return ["{}={}".format(ALLOWED_HOSTS, names)] if names else []


def is_changed(layout: Layout, wish: Mapping[str, object]) -> bool:
    """Return whether new credentials wait for a switch."""
    return read(AccessChange, wish).replaces_token or layout.next_certificate.exists()


def change(layout: Layout, wish: Mapping[str, object], access: Access) -> None:
    """Store new credentials next to the old ones; ``settle`` or ``revert`` must follow.

    Raises:
        ReleaseError: when a given token cannot be one.
    """
    wanted_change = read(AccessChange, wish)
    if wanted_change.replaces_token:
        import secrets

        made = wanted_change.token == "new"
        new = secrets.token_urlsafe(32) if made else wanted_change.value
        _check(new)
        # The old token stays in the second line, and valid, until ``settle`` or ``revert``.
        before = _tokens(layout)[:1]
        _write(layout.token, "\n".join([new, *(one for one in before if one != new)]) + "\n")
    if access.tls and layout.next_certificate.exists():
        if layout.certificate.exists():
            os.replace(str(layout.certificate), str(layout.old_certificate))
        os.replace(str(layout.next_certificate), str(layout.certificate))


def settle(layout: Layout, access: Access) -> None:
    """Remove the replaced credentials after the release is committed."""
    if access.token:
        _store_tokens(layout, _tokens(layout)[:1])
    else:
        remove(layout.token)
    if not access.tls:
        remove(layout.certificate)
    for path in (layout.old_certificate, layout.next_certificate):
        remove(path)


def revert(layout: Layout, access: Access) -> None:
    """Restore the previous credentials after the release is rolled back."""
    if access.token:
        _store_tokens(layout, _tokens(layout)[-1:])
    else:
        remove(layout.token)
    if layout.old_certificate.exists():
        os.replace(str(layout.old_certificate), str(layout.certificate))
    elif not access.tls:
        remove(layout.certificate)
    remove(layout.next_certificate)


def token(layout: Layout) -> str:
    """Return the valid token, or the newer of two; empty without any."""
    return next(iter(_tokens(layout)), "")


def fingerprint(layout: Layout, access: Access) -> str:
    """Return the fingerprint of the certificate in use; empty for plain HTTP."""
    return fingerprint_of(layout.certificate) if access.tls else ""


class CertificateRequest(NamedTuple):
    """Request for a certificate.

    Attributes:
        names: Names under which the server is called.
        pem: A key and its certificate chain.
        own: Only one that was made by us will do.
        until: Seconds since the epoch, for one of ours that was made elsewhere.
    """

    names: Tuple[str, ...] = ()
    pem: str = ""
    own: bool = False
    until: float = 0.0


class _CertificateFacts(NamedTuple):
    """Facts about a certificate of ours: its names, and until when it is valid."""

    names: Tuple[str, ...] = ()
    until: float = 0.0


def certify(board: Board, request: Mapping[str, object]) -> dict[str, object]:
    """Provide a certificate for the next switch.

    Args:
        request: A ``CertificateRequest`` in JSON form.

    Returns:
        ``made``: ``kept`` (valid for another month), ``here``, ``given``, or empty where this
        target cannot make one. Also ``fingerprint``, and the ``certificate`` without its key.

    Raises:
        ReleaseError: when what was given does not fit together.
    """
    import socket
    import ssl

    from .certificate import DAYS, CannotMake, self_signed

    layout = board.layout
    layout.access.mkdir(mode=0o700, exist_ok=True)
    wish = read(CertificateRequest, request)
    pem, until = wish.pem, wish.until
    given = bool(pem)
    names = list(dict.fromkeys([*map(str, wish.names), socket.gethostname() or "localhost"]))
    if not given and _is_good(layout, names, wish.own):
        remove(layout.next_certificate)
        return _certified("kept", layout.certificate)
    if not given:
        try:
            pem, until = self_signed(names, layout.access), time.time() + DAYS * _DAY_S
        except CannotMake:
            return {"made": "", "fingerprint": "", "certificate": ""}
    if until:
        facts = json.dumps({"names": names, "until": until}, sort_keys=True)
        pem = "{}{}\n{}".format(_FACTS, facts, pem)
    _write(layout.next_certificate, pem)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            str(layout.next_certificate), password=lambda: ""
        )
    except (OSError, ValueError):
        remove(layout.next_certificate)
        raise ReleaseError(
            "bad-certificate", "The certificate and the key do not belong together."
        ) from None
    return _certified("given" if given else "here", layout.next_certificate)


def _certified(made: str, path: Path) -> dict[str, object]:
    blocks = path.read_text("ascii").split(_BEGIN)[1:]
    chain = "".join(_BEGIN + block.partition(_END)[0] + _END + "\n" for block in blocks)
    return {"made": made, "fingerprint": fingerprint_of(path), "certificate": chain}


def _is_good(layout: Layout, names: Sequence[str], own: bool) -> bool:
    """Return whether the certificate may stay: ours until it expires, the user's always."""
    if not fingerprint_of(layout.certificate):
        return False
    first = layout.certificate.read_text("ascii").partition("\n")[0]
    if not first.startswith(_FACTS):
        return not own
    facts = read(_CertificateFacts, json.loads(first[len(_FACTS) :]))
    return facts.until - time.time() > _RENEW_S and set(names) <= set(facts.names)


def _check(new: str) -> None:
    """Refuse a malformed token, without repeating it in the error."""
    if len(new) < LEAST_CHARACTERS or not all("!" <= character <= "~" for character in new):
        raise ReleaseError(
            "bad-token",
            "A token must have at least {} printable ASCII characters without spaces.".format(
                LEAST_CHARACTERS
            ),
        )


def _tokens(layout: Layout) -> list[str]:
    """Return the stored tokens, the newest first."""
    try:
        return layout.token.read_text("ascii").split()
    except (OSError, UnicodeDecodeError):
        return []


def _store_tokens(layout: Layout, tokens: Sequence[str]) -> None:
    if tokens and list(tokens) != _tokens(layout):
        _write(layout.token, "".join(one + "\n" for one in tokens))


def _write(path: Path, text: str) -> None:
    """Write a file that only its owner may read."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    write_atomically(path, text.encode("ascii"), mode=0o600)

"""Expiry of a server's resources: its certificate, and the disk that it writes to."""

from __future__ import annotations

import base64
import calendar
import os
import time
from pathlib import Path
from typing import Dict, NamedTuple, Optional, Tuple

from ...shared.access_tokens import mark_of

_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_SEQUENCE, _UTC_TIME, _GENERAL_TIME, _VERSION = 0x30, 0x17, 0x18, 0xA0
_CENTURY = 50
"""Two digits of a year below it are of this century (RFC 5280, 4.1.2.5.1)."""


class ExpiryState(NamedTuple):
    """Both at one moment; None for what cannot be known."""

    certificate_until: Optional[float]
    certificate_days: Optional[float]
    disk_free_mb: Optional[float]
    disk_total_mb: Optional[float]


class ExpiryMonitor:
    """Looks at both; the certificate is read again when its file has changed.

    Args:
        certificate: File with the chain that clients are shown; None where no TLS is spoken.
        folder: On the disk that matters; None where nothing is written.
    """

    def __init__(self, certificate: Optional[Path] = None, folder: Optional[Path] = None) -> None:
        self._certificate = certificate
        self._folder = folder
        self._mark: Optional[Tuple[int, int, int]] = None
        self._until: Optional[float] = None

    def to_json(self) -> Dict[str, Optional[float]]:
        """Return the fields of the status document."""
        return self.state()._asdict()

    def state(self) -> ExpiryState:
        """Look at both."""
        free, total = self._disk()
        until = self._end()
        days = None if until is None else round((until - time.time()) / 86400.0, 2)
        free_mb = None if free is None else round(free / 1e6, 1)
        total_mb = None if total is None else round(total / 1e6, 1)
        return ExpiryState(until, days, free_mb, total_mb)

    def _disk(self) -> Tuple[Optional[int], Optional[int]]:
        if self._folder is None:
            return None, None
        try:
            found = os.statvfs(str(self._folder))
        except OSError:
            return None, None
        return found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize

    def _end(self) -> Optional[float]:
        mark = mark_of(self._certificate)
        if mark != self._mark:
            self._mark = mark
            self._until = None if self._certificate is None else end_of(self._certificate)
        return self._until


def end_of(path: Path) -> Optional[float]:
    """Return when a PEM file's first certificate ends, in seconds since 1970, or None."""
    try:
        block = path.read_text(encoding="ascii").split(_BEGIN, 1)[1].partition(_END)[0]
        return _not_after(base64.b64decode(block))
    except (OSError, ValueError, IndexError):
        return None


def _not_after(content: bytes) -> float:
    """Return the end of the validity in a certificate (RFC 5280, 4.1).

    Raises:
        ValueError, IndexError: for what is no certificate.
    """
    _, begin, _ = _head(content, 0, _SEQUENCE)
    _, place, _ = _head(content, begin, _SEQUENCE)
    tag, _, end = _head(content, place)
    if tag == _VERSION:
        place = end
    for _ in range(3):  # the serial number, the algorithm, the issuer
        _, _, place = _head(content, place)
    _, begin, _ = _head(content, place, _SEQUENCE)
    _, _, after = _head(content, begin)
    tag, begin, end = _head(content, after)
    text = content[begin:end].decode("ascii")
    if tag == _UTC_TIME:
        text = ("20" if int(text[:2]) < _CENTURY else "19") + text
    elif tag != _GENERAL_TIME:
        raise ValueError("no time")
    return float(calendar.timegm(time.strptime(text, "%Y%m%d%H%M%SZ")))


def _head(content: bytes, place: int, wanted: Optional[int] = None) -> Tuple[int, int, int]:
    """Return the tag of a DER element, where its content begins, and where it ends."""
    tag, length, begin = content[place], content[place + 1], place + 2
    if length & 0x80:
        size = length & 0x7F
        length, begin = int.from_bytes(content[begin : begin + size], "big"), begin + size
    if begin + length > len(content) or (wanted is not None and tag != wanted):
        raise ValueError("no certificate")
    return tag, begin, begin + length

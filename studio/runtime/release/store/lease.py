"""One operator at a time: a lease that spans commands, and a lock for the length of one."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from typing import NamedTuple

from ...shared.errors import ReleaseError
from ...shared.files import fresh, remove, write_atomically
from ...shared.records import read
from .layout import Layout

LEASE_S = 300.0
"""How long a deploy may be silent before another operator may take over."""

_WAIT_S = 10.0
_POLL_S = 0.05


class Lease(NamedTuple):
    """Lease of the operator of a target: its token and its expiry."""

    owner: str = ""
    token: str = ""
    expires: float = 0.0


@contextlib.contextmanager
def locked(layout: Layout) -> Iterator[None]:
    """Hold the lock while one command changes something; the system frees that of a dead process.

    Raises:
        ReleaseError: when another command is still at work after ten seconds.
    """
    handle = os.open(str(layout.lock), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        deadline = time.monotonic() + _WAIT_S
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise _busy(_read(layout)) from None
                time.sleep(_POLL_S)
        yield
    finally:
        os.close(handle)


def acquire(layout: Layout, owner: str) -> str:
    """Acquire the lease; return the token that later commands must show.

    Raises:
        ReleaseError: when another operator's lease has not ended.
    """
    held = _read(layout)
    if held and held.owner != owner and _runs(held):
        raise _busy(held)
    token = fresh()
    _write(layout, owner, token)
    return token


def renew(layout: Layout, token: str) -> None:
    """Check the token and extend the lease.

    Raises:
        ReleaseError: when another operator has acquired the lease.
    """
    held = _read(layout)
    if not held or held.token != token:
        raise ReleaseError(
            "lease-lost",
            "Another deployment has taken over this target.",
            "Deploy again. Uploaded files are kept.",
        )
    _write(layout, held.owner, token)


def give_back(layout: Layout, token: str) -> None:
    """End the lease, if it is still this one."""
    held = _read(layout)
    if held and held.token == token:
        remove(layout.lease)


def refuse_others(layout: Layout, owner: str) -> None:
    """Raise ReleaseError while another operator's lease runs."""
    held = _read(layout)
    if held and held.owner != owner and _runs(held):
        raise _busy(held)


def _read(layout: Layout) -> Lease | None:
    """Return the lease, or None if it is missing or unreadable."""
    try:
        document = json.loads(layout.lease.read_bytes())
        return read(Lease, document) if set(Lease._fields) <= set(document) else None
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def _write(layout: Layout, owner: str, token: str) -> None:
    held = Lease(owner, token, time.time() + LEASE_S)
    write_atomically(layout.lease, json.dumps(held._asdict()).encode())


def _runs(held: Lease) -> bool:
    # A clock that was set back would make a lease last for ever: one that ends later than any
    # lease can is over as well.
    left = held.expires - time.time()
    return 0 < left <= LEASE_S


def _busy(held: Lease | None) -> ReleaseError:
    owner = held.owner if held else "another command"
    left = max(1, round(held.expires - time.time())) if held else 1
    return ReleaseError(
        "locked",
        "{} is deploying to this target.".format(owner),
        "Wait for it to finish. The lock expires in {} s if that deployment has stopped.".format(
            left
        ),
    )

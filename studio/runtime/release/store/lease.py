"""One operator at a time: a lease that spans commands, and a lock for the length of one."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from typing import Any

from ...shared.errors import ReleaseError
from ...shared.files import fresh, remove, write_atomically
from .layout import Layout

LEASE_S = 300.0
"""How long a deploy may be silent before another operator may take over."""

_WAIT_S = 10.0
_POLL_S = 0.05


@contextlib.contextmanager
def locked(layout: Layout) -> Iterator[None]:
    """Hold the lock while one command changes something; a dead process lets go by itself.

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


def take(layout: Layout, owner: str) -> str:
    """Become the operator; returns the token that later commands must show.

    Raises:
        ReleaseError: when another operator's lease has not ended.
    """
    held = _read(layout)
    if held and held["owner"] != owner and _runs(held):
        raise _busy(held)
    token = fresh()
    _write(layout, owner, token)
    return token


def renew(layout: Layout, token: str) -> None:
    """Check the token and start its time anew.

    Raises:
        ReleaseError: when the lease went to another operator meanwhile.
    """
    held = _read(layout)
    if not held or held["token"] != token:
        raise ReleaseError(
            "lease-lost",
            "Another deploy has taken over this target.",
            "Repeat the deploy; what was sent is kept.",
        )
    _write(layout, str(held["owner"]), token)


def give_back(layout: Layout, token: str) -> None:
    """End the lease, if it is still this one."""
    held = _read(layout)
    if held and held["token"] == token:
        remove(layout.lease)


def refuse_others(layout: Layout, owner: str) -> None:
    """Raise ReleaseError while another operator's lease runs."""
    held = _read(layout)
    if held and held["owner"] != owner and _runs(held):
        raise _busy(held)


def _read(layout: Layout) -> dict[str, Any]:
    try:
        held = json.loads(layout.lease.read_bytes())
        return {"owner": held["owner"], "token": held["token"], "expires": float(held["expires"])}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _write(layout: Layout, owner: str, token: str) -> None:
    held = {"owner": owner, "token": token, "expires": time.time() + LEASE_S}
    write_atomically(layout.lease, json.dumps(held).encode())


def _runs(held: dict[str, Any]) -> bool:
    # A clock that was set back would make a lease last for ever: one that ends later than any
    # lease can is over as well.
    left = float(held["expires"]) - time.time()
    return 0 < left <= LEASE_S


def _busy(held: dict[str, Any]) -> ReleaseError:
    owner = held.get("owner", "another command")
    left = max(1, round(held.get("expires", time.time()) - time.time()))
    return ReleaseError(
        "locked",
        "{} is deploying to this target.".format(owner),
        "Wait for it to finish. The lock expires in {} s if that deployment has stopped.".format(
            left
        ),
    )

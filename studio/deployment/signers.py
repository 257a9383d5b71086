"""Whose releases a target takes: the keys that it admits, and since when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.runtime.release.intake.signers import signers_in
from studio.runtime.release.store.layout import SYSTEM_SIGNERS
from studio.targets.inventory import Inventory, when


def admitted(found: Inventory) -> dict[str, Any]:
    """Who may release on a target.

    Returns:
        ``file``: where the target says it, empty where it takes everybody's releases;
        ``fixed``: only its administrator may change that; ``keys``: ``name``, ``kind``,
        ``fingerprint``, ``limits``, ``since`` and ``by`` of each, the last two empty where the
        target's record does not tell; ``changed`` and ``by``: the last change that it knows of.
    """
    fixed = found.signers_file == str(SYSTEM_SIGNERS)
    # What the administrator wrote is in no record of the release machine.
    history = () if fixed else found.admissions
    last = history[-1] if history else {}
    keys = []
    for one in signers_in(found.signers):
        first: Mapping[str, Any] = {}
        for entry in reversed(history):
            if not one.fingerprint or one.fingerprint not in (entry.get("keys") or ()):
                break
            first = entry
        keys.append({**one._asdict(), "since": when(first.get("at")), "by": _owner(first)})
    return {
        "file": found.signers_file,
        "fixed": fixed,
        "keys": keys,
        "changed": when(last.get("at")),
        "by": _owner(last),
    }


def _owner(entry: Mapping[str, Any]) -> str:
    return str(entry.get("owner") or "")

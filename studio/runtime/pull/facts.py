"""Facts that a board reports to the server."""

from __future__ import annotations

import hashlib
import json
import platform
from typing import Dict

from ..release.board import Board
from ..release.store.layout import Layout
from ..shared.errors import ReleaseError
from .settings import PullSettings

_LONGEST = 128
"""Characters that hawkBit keeps of a value."""


def version_name(version: int, counter: int, digest: str) -> str:
    """Return the name of a release at the server: semantic, and of this content alone."""
    return "{}.{}.0+{}".format(version, counter, digest[:12])


def facts_of(layout: Layout, settings: PullSettings) -> Dict[str, str]:
    """Return the facts of this board and of the release that it serves."""
    board = Board(layout, "")
    found = {
        "hw_boardname": settings.hardware,
        "hw_revision": settings.revision,
        "group": settings.group,
        "arch": platform.machine(),
        "python": platform.python_version(),
        "phase": board.state.phase,
        "sw_version": "none",
        "log_broken_at": str(board.journal.broken_at()),
    }
    if board.state.current:
        try:
            what = board.manifest(board.state.current)
        except ReleaseError as error:
            found.update({"sw_version": "damaged", "fault": error.message})
        else:
            found.update(
                {
                    "sw_version": version_name(what.version, what.counter, what.digest),
                    "model": what.name,
                    "version": str(what.version),
                    "counter": str(what.counter),
                    "release": what.digest,
                }
            )
    return {name: text[:_LONGEST] for name, text in found.items()}


def digest_of_facts(facts: Dict[str, str]) -> str:
    """Return a digest by which a change of the facts is noticed."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

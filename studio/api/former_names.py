"""Former names of options, keys and commands: still accepted, with one note in the log."""

from __future__ import annotations

import logging

_LOG = logging.getLogger(__name__)
_noted: set[str] = set()


def note_former_name(former: str, name: str) -> None:
    """Log a warning for the first former name that this process reads; later ones add none."""
    if not _noted:
        _noted.add(former)
        _LOG.warning("The name %s is deprecated; use %s.", former, name)

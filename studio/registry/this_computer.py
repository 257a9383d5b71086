"""This computer: a target that always exists, with a row once something is stored of it."""

from __future__ import annotations

from studio.api import TargetSpec
from studio.registry.database import DatabaseSession

LOCAL = TargetSpec("local", "local:")
"""This computer, a target that always exists."""


def add_row(session: DatabaseSession, name: str) -> None:
    """Add the row of this computer when it is named and has none."""
    if name == LOCAL.name:
        session.execute(
            "INSERT INTO targets (name, url, host_key, settings, facts)"
            " VALUES (?, ?, '', '{}', '{}') ON CONFLICT DO NOTHING",
            (name, LOCAL.url),
        )

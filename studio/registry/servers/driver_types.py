"""What the studio uses of psycopg, as types: the library is not installed everywhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from studio.registry.database import DatabaseRows, SqlValue
from studio.registry.servers.dialect import ServerRow


class ResultColumn(Protocol):
    """A column of a result."""

    @property
    def name(self) -> str:
        """Its name."""


class RawCursor(Protocol):
    """A result whose rows are made by a factory."""

    @property
    def description(self) -> Sequence[ResultColumn] | None:
        """The columns; None for a statement without rows."""


RowFactory = Callable[[RawCursor], Callable[[Sequence[SqlValue]], ServerRow]]


class ConnectionFacts(Protocol):
    """What libpq knows of a connection."""

    @property
    def transaction_status(self) -> int:
        """Whether a transaction is open; 0 for none."""

    @property
    def user(self) -> str:
        """The role that has logged in."""


class RawConnection(Protocol):
    """A connection of psycopg.

    Attributes:
        row_factory: The maker of rows.
    """

    row_factory: RowFactory

    @property
    def info(self) -> ConnectionFacts:
        """Facts of libpq."""

    @property
    def closed(self) -> bool:
        """Whether it was closed, or lost."""

    def execute(self, statement: bytes, values: Sequence[SqlValue] = ...) -> DatabaseRows:
        """Run a statement."""

    def close(self) -> None:
        """Close it."""

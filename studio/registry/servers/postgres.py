"""The registry's database on a PostgreSQL server: one connection per thread, one writer at a time.

A transaction locks the row of ``registry_lock`` first, as SQLite locks its file. So two studios
never decide on the same state, and numbers of rows follow the order of the changes.
"""

from __future__ import annotations

import contextlib
import getpass
import platform
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from studio.api import StudioError
from studio.registry.activity import spelled
from studio.registry.database import DatabaseRows, SqlValue
from studio.registry.servers.dialect import ServerRow, spellings, translated
from studio.registry.servers.driver_types import RawConnection, RawCursor, RowFactory
from studio.registry.servers.migrations import SERVER_VERSION
from studio.registry.servers.server_errors import (
    driver,
    is_lasting,
    later_version,
    lost_change,
    sentence,
    unknown_outcome,
)

T = TypeVar("T")

_SETUP = (
    "SET statement_timeout = '60s'",
    "SET lock_timeout = '15s'",
    # A studio that stands still, or whose machine has gone, must not block the others.
    "SET idle_in_transaction_session_timeout = '300s'",
    "SET default_transaction_isolation = 'read committed'",
)
_KEEPALIVE = {
    "connect_timeout": 10,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
_RETURN_S = 20.0
"""The time for a server to return, such as after a restart."""

_PAUSE_S = 0.25
_LOCK = "SELECT version, pg_current_xact_id()::text FROM registry_lock FOR UPDATE"
TOKEN = "edgewright-store:"
"""The sign for the store in texts of the database, as each studio has its own folder."""


class StoreSign:
    """The folder of the store, and its sign in texts of the database."""

    def __init__(self) -> None:
        self.folder = ""

    def kept(self, value: SqlValue) -> SqlValue:
        """Return a value with the sign in place of the folder."""
        if isinstance(value, str) and self.folder:
            for spelled_folder in spellings(self.folder):
                value = value.replace(spelled_folder, TOKEN)
        return value

    def restored(self, value: SqlValue) -> SqlValue:
        """Return a value with the folder in place of the sign."""
        if isinstance(value, str) and self.folder and TOKEN in value:
            return value.replace(TOKEN, self.folder)
        return value


class ServerSession:
    """A connection of one thread, which is closed when the thread has ended.

    Attributes:
        raw: The connection of psycopg.
        clock: Returns the server's time.
    """

    def __init__(self, raw: RawConnection, clock: Callable[[], str], sign: StoreSign) -> None:
        self.raw = raw
        self.clock = clock
        self._sign = sign
        # Nothing that `raw` refers to may refer to the session.
        weakref.finalize(self, raw.close)

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return bool(self.raw.info.transaction_status)

    @property
    def lost(self) -> bool:
        """Whether the server has gone."""
        return bool(self.raw.closed)

    def execute(self, statement: str, values: Sequence[SqlValue] = (), /) -> DatabaseRows:
        """Run a statement of the registry, with ``?`` for values."""
        if not values:
            return self.raw.execute(statement.encode())
        given = [self._sign.kept(value) for value in values]
        return self.raw.execute(translated(statement).encode(), given)


class PostgresDatabase:
    """The registry's database on a server, safe for several threads, processes and studios.

    Args:
        address: URL of the database.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._driver = driver()
        self._local = threading.local()
        self._sessions: weakref.WeakSet[ServerSession] = weakref.WeakSet()
        self._sign = StoreSign()
        self._met = False

    def keep_below(self, store: Path) -> None:
        """Set the folder of the store, which texts of the database name by a sign.

        Raises:
            StudioError: when its path cannot be part of a document.
        """
        text = f"{store}/"
        if any(sign in text for sign in '"\\') or not text.isprintable():
            raise StudioError(f"The folder {store} cannot be used for a shared registry.")
        self._sign.folder = text

    def close(self) -> None:
        """Close the connections of all threads."""
        for session in list(self._sessions):
            with contextlib.suppress(self._driver.Error):
                session.raw.close()

    @property
    def role(self) -> str:
        """The database role of this studio."""
        return str(self.connection.raw.info.user)

    @property
    def connection(self) -> ServerSession:
        """The connection of this thread; a new one after a lost one.

        Raises:
            StudioError: when the server is away, or refuses the login.
        """
        session: ServerSession | None = getattr(self._local, "session", None)
        # Inside a transaction, a new connection would save only the rest of it.
        if session is None or (session.lost and not self._writes):
            session = self._connected()
            self._local.session = session
        return session

    @property
    def _writes(self) -> bool:
        """Whether this thread is inside a transaction."""
        return bool(getattr(self._local, "writes", False))

    def now(self) -> str:
        """Return the server's time, so that a wrong clock of one studio disturbs no history."""
        return self.connection.clock()

    def all(self, statement: str, values: tuple[SqlValue, ...] = ()) -> list[ServerRow]:
        """Return the rows of a query; repeat it once if the connection was lost.

        Raises:
            StudioError: when the server is away, or refuses the query.
        """

        def ask() -> list[ServerRow]:
            return list(self.connection.execute(statement, values).fetchall())

        with self._errors_reported():
            return self._again(ask)

    @contextmanager
    def write(self) -> Iterator[ServerSession]:
        """Open a transaction that excludes other writers; inside another one, continue that.

        Raises:
            StudioError: when the server is away, full, or refuses the change.
        """
        if self._writes:
            yield self.connection
            return
        with self._errors_reported():
            number = self._again(self._begun)
            session, self._local.writes = self.connection, True
            try:
                yield session
            except BaseException:
                _roll_back(session, self._driver.Error)
                raise
            finally:
                self._local.writes = False
            self._commit(session, number)

    @contextmanager
    def snapshot(self) -> Iterator[ServerSession]:
        """Open a transaction that reads one state, whatever others write in the meantime.

        Raises:
            StudioError: when the server is away, or refuses the query.
        """
        with self._transaction("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY") as session:
            yield session

    @contextmanager
    def alone(self, number: int) -> Iterator[None]:
        """Open a transaction with an advisory lock, for a database without tables.

        Raises:
            StudioError: when the server is away, full, or refuses the change.
        """
        with self._transaction("BEGIN") as session:
            session.execute("SELECT pg_advisory_xact_lock(?)", (number,))
            yield

    def renumber(self, tables: Sequence[str]) -> None:
        """Let the numbers of new rows follow the highest one, after a copy with numbers."""
        for table in tables:
            last = f"SELECT coalesce(max(id), 0) + 1 FROM {table}"
            sequence = f"pg_get_serial_sequence('{table}', 'id')"
            self.connection.execute(f"SELECT setval({sequence}, ({last}), false)")

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[ServerSession]:
        with self._errors_reported():
            # A connection that was lost while it was not used is opened again here.
            self._again(lambda: self.connection.execute(begin))
            session, self._local.writes = self.connection, True
            try:
                yield session
                session.execute("COMMIT")
            except BaseException:
                _roll_back(session, self._driver.Error)
                raise
            finally:
                self._local.writes = False

    def _begun(self) -> str:
        """Begin a transaction with the writers' lock; return its number."""
        session = self.connection
        session.execute("BEGIN")
        try:
            version, number = session.execute(_LOCK).fetchone()
        except BaseException:
            _roll_back(session, self._driver.Error)
            raise
        if version > SERVER_VERSION:
            _roll_back(session, self._driver.Error)
            raise later_version()
        return str(number)

    def _commit(self, session: ServerSession, number: str) -> None:
        """Commit; if the connection is lost, find out whether the server did."""
        try:
            session.execute("COMMIT")
        except self._driver.OperationalError as error:
            if not session.lost:
                raise
            self._require_committed(number, error)

    def _require_committed(self, number: str, error: Exception) -> None:
        try:
            for _attempt in range(40):
                found = self.connection.execute("SELECT pg_xact_status(?::xid8)", (number,))
                state = found.fetchone()[0]
                if state != "in progress":
                    break
                time.sleep(_PAUSE_S)
        except (self._driver.Error, StudioError):
            raise unknown_outcome(error) from None
        if state == "aborted":
            raise lost_change(error)
        if state != "committed":
            raise unknown_outcome(error)

    def _again(self, call: Callable[[], T]) -> T:
        """Call; once more with a new connection if the old one was lost."""
        try:
            return call()
        except self._driver.OperationalError:
            session: ServerSession | None = getattr(self._local, "session", None)
            if session is None or not session.lost or self._writes:
                raise
            return call()

    def _connected(self) -> ServerSession:
        until = time.monotonic() + (_RETURN_S if self._met else 0.0)
        while True:
            try:
                session = self._opened()
            except self._driver.OperationalError as error:
                if time.monotonic() >= until or is_lasting(error):
                    raise sentence(error, self._address) from None
                time.sleep(_PAUSE_S)
            except self._driver.Error as error:  # an address that libpq does not understand
                raise sentence(error, self._address) from None
            else:
                self._met = True
                self._sessions.add(session)
                return session

    def _opened(self) -> ServerSession:
        raw = self._driver.connect(
            self._address,
            autocommit=True,
            prepare_threshold=None,  # a prepared SELECT * would not survive a migration
            application_name=f"edgewright {_person()}@{platform.node()}"[:63],
            **_KEEPALIVE,
        )
        for statement in _SETUP:
            raw.execute(statement.encode())
        session = ServerSession(raw, _clock(raw), self._sign)
        raw.row_factory = _rows_of(self._sign)
        return session

    @contextmanager
    def _errors_reported(self) -> Iterator[None]:
        try:
            yield
        except self._driver.Error as error:
            raise sentence(error, self._address) from error


def _clock(raw: RawConnection) -> Callable[[], str]:
    """Return a clock that follows the server's, with this computer's steady counter."""
    row = raw.execute(b"SELECT extract(epoch FROM clock_timestamp())::float8").fetchone()
    assert row is not None
    base, begun = datetime.fromtimestamp(row[0], UTC), time.monotonic()
    return lambda: spelled(base + timedelta(seconds=time.monotonic() - begun))


def _rows_of(sign: StoreSign) -> RowFactory:
    def factory(cursor: RawCursor) -> Callable[[Sequence[SqlValue]], ServerRow]:
        numbers = {column.name: at for at, column in enumerate(cursor.description or ())}

        def row(values: Sequence[SqlValue]) -> ServerRow:
            for value in values:  # thousands of rows have no path of the store
                if isinstance(value, str) and TOKEN in value:
                    return ServerRow(numbers, list(map(sign.restored, values)))
            return ServerRow(numbers, values)

        return row

    return factory


def _roll_back(session: ServerSession, failure: type[Exception]) -> None:
    """End a transaction, unless the connection was lost with it."""
    with contextlib.suppress(failure):
        if session.in_transaction:
            session.execute("ROLLBACK")


def _person() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without an entry for its user
        return "unknown"

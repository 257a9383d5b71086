"""The tables of a shared registry, its record of changes, and their migration."""

from __future__ import annotations

import uuid
from importlib.resources import files

from studio.api import StudioError
from studio.registry.schema import TABLES
from studio.registry.servers.migrations import SERVER_VERSION, STEPS
from studio.registry.servers.postgres import PostgresDatabase, ServerSession
from studio.registry.servers.server_errors import later_version

_ALONE = 0x45646765
"""The number of the advisory lock of a migration: a new database has no row to lock."""

_OWN = """
CREATE TABLE registry_lock (version BIGINT NOT NULL, taken BIGINT);
CREATE TABLE changes (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(), role TEXT NOT NULL, client TEXT NOT NULL,
    change TEXT NOT NULL, subject TEXT NOT NULL, key TEXT NOT NULL
);
"""
_NOTE = """
CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO changes (role, client, change, subject, key) VALUES (
        session_user, coalesce(current_setting('application_name', true), ''),
        lower(TG_OP), TG_TABLE_NAME,
        coalesce(to_jsonb(CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END) ->> TG_ARGV[0], ''));
    RETURN NULL;
END $$
"""


def roles() -> str:
    """Return the SQL of the three roles, which the owner of the database runs."""
    return files("studio.registry.servers").joinpath("roles.sql").read_text(encoding="utf-8")


def prepare(database: PostgresDatabase) -> str:
    """Create or migrate the tables of a registry; return its identity.

    Raises:
        StudioError: when a later version of the studio has written it, or the role may not create
            tables.
    """
    version = _version(database)
    if version > SERVER_VERSION:
        raise later_version()
    if version < SERVER_VERSION:
        _bring_up(database)
    return str(database.all("SELECT id FROM identity")[0][0])


def _version(database: PostgresDatabase) -> int:
    """Return the version of the schema; 0 for a database without a registry."""
    # Not to_regclass: it may repeat an earlier answer after another studio has made the tables.
    made = "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = ?"
    if not database.all(made, ("registry_lock",))[0][0]:
        return 0
    return int(database.all("SELECT version FROM registry_lock")[0][0])


def _bring_up(database: PostgresDatabase) -> None:
    session = database.connection
    if not database.all("SELECT has_schema_privilege(current_schema(), 'CREATE')")[0][0]:
        raise StudioError(
            "The tables of the shared registry are not ready, and your role may not create them.",
            hint="The owner of the database opens the registry once: studio registry check",
        )
    with database.alone(_ALONE):
        # Another studio may have done it before this one acquired the lock.
        version = _version(database)
        if version == 0:
            _create_own(session)
        for number, statements in enumerate(STEPS, 1):
            if version < number:
                for statement in statements:
                    session.execute(statement)
        if version == 0:
            identity = "INSERT INTO identity (id, created) VALUES (?, ?)"
            session.execute(identity, (uuid.uuid4().hex, database.now()))
            _watch(session)
        session.execute("UPDATE registry_lock SET version = ?", (SERVER_VERSION,))


def _create_own(session: ServerSession) -> None:
    for statement in _OWN.split(";"):
        if statement.strip():
            session.execute(statement)
    session.execute(_NOTE)
    session.execute("INSERT INTO registry_lock (version) VALUES (0)")
    session.execute("CREATE INDEX changes_subject ON changes (subject, key)")


def _watch(session: ServerSession) -> None:
    """Record every change of a row, with its role; no role can leave it out."""
    for table, key in TABLES.items():
        session.execute(
            f"CREATE TRIGGER note_change AFTER INSERT OR UPDATE OR DELETE ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION note_change('{key}')"
        )

"""The tables of a shared registry, its record of changes, and their migration."""

from __future__ import annotations

import uuid
from importlib.resources import files

from studio.api import StudioError
from studio.registry.schema import TABLES
from studio.registry.servers.migrations import PLAN_TABLES, SERVER_VERSION, STEPS
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
_STATE = """
SELECT EXISTS (SELECT FROM pg_tables
    WHERE schemaname = current_schema() AND tablename = 'registry_lock'),
  EXISTS (SELECT FROM pg_roles WHERE rolsuper AND (rolname = session_user
    OR rolname IN (SELECT tableowner FROM pg_tables
        WHERE schemaname = current_schema() AND tablename IN ('registry_lock', 'changes'))
    OR oid IN (SELECT proowner FROM pg_proc
        WHERE prosecdef AND pronamespace = current_schema()::regnamespace)))
"""
"""Whether the tables are there (to_regclass may repeat an earlier answer after another studio has
made them), and whether a superuser owns the registry."""

_OPEN = """
SELECT has_database_privilege('public', current_database(), 'TEMPORARY, CREATE')
    OR has_schema_privilege('public', current_schema(), 'CREATE')
"""
"""Whether every role may put objects where statements of others look for names."""


def roles() -> str:
    """Return the SQL of the three roles, which the owner of the database runs."""
    return _sql("roles.sql")


def _sql(name: str) -> str:
    return files("studio.registry.servers").joinpath(name).read_text(encoding="utf-8")


def prepare(database: PostgresDatabase) -> str:
    """Create or migrate the tables of a registry; return its identity.

    Raises:
        StudioError: when a later version of the studio has written it, a superuser owns it, or the
            role may not create tables.
    """
    version = _version(database)
    if version > SERVER_VERSION:
        raise later_version()
    if version < SERVER_VERSION:
        _bring_up(database)
    return str(database.all("SELECT id FROM identity")[0][0])


def _version(database: PostgresDatabase) -> int:
    """Return the version of the schema; 0 for a database without a registry."""
    [(exists, of_superuser)] = database.all(_STATE)
    if of_superuser:
        raise StudioError(
            "The shared registry would run as a superuser of its database server.",
            hint="Give it an owner without that right: docs/shared-registry.md, section Owner.",
        )
    return int(database.all("SELECT version FROM registry_lock")[0][0]) if exists else 0


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
        _set_functions(session)
        session.execute("UPDATE registry_lock SET version = ?", (SERVER_VERSION,))


def _create_own(session: ServerSession) -> None:
    for statement in _OWN.split(";"):
        if statement.strip():
            session.execute(statement)
    session.execute("INSERT INTO registry_lock (version) VALUES (0)")
    session.execute("CREATE INDEX changes_subject ON changes (subject, key)")


def _set_functions(session: ServerSession) -> None:
    """Replace the functions that run for every role, and let no role put names in their way.

    Raises:
        StudioError: when the role may not withdraw these rights.
    """
    [schema] = session.execute("SELECT quote_ident(current_schema())").fetchone()
    session.execute(_sql("functions.sql").format(schema=schema))
    for table, key in {**TABLES, **PLAN_TABLES}.items():
        session.execute(
            "CREATE OR REPLACE TRIGGER note_change AFTER INSERT OR UPDATE OR DELETE"
            f" ON {schema}.{table} FOR EACH ROW EXECUTE FUNCTION {schema}.note_change('{key}')"
        )
    if session.execute(_OPEN).fetchone()[0]:
        raise StudioError(
            "Every role may create objects or temporary tables in the registry's database.",
            hint="Its owner runs: REVOKE TEMPORARY, CREATE ON DATABASE NAME FROM PUBLIC;"
            " REVOKE CREATE ON SCHEMA NAME FROM PUBLIC;",
        )

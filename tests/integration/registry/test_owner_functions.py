"""What runs as the owner of a shared registry, attacked by an operator with SQL of her own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from studio.api import StudioError
from studio.registry import Registry
from studio.registry.servers.server_schema import roles
from tests.rigs.postgres import SUPERUSER, PostgresServer

Open = Callable[..., Registry]
PROTECTED = {"local": "local:"}

ATTACK = """
CREATE TEMPORARY TABLE changes (role text, client text, change text, subject text, key text);
CREATE FUNCTION pg_temp.rise() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() = 2 THEN
        GRANT edgewright_approver TO operator;
        UPDATE public.targets SET settings = '{}';
        DELETE FROM public.changes;
    END IF;
    RETURN NEW;
END $$;
GRANT ALL ON changes TO public;
CREATE TRIGGER rise BEFORE INSERT ON changes FOR EACH ROW EXECUTE FUNCTION pg_temp.rise();
INSERT INTO public.models (name, created) VALUES ('bait', '');
"""
"""A table of the caller is in the place of the record; its trigger runs as who fills it."""

FORGERY = """
CREATE TEMPORARY TABLE aliases (id text);
CREATE TRIGGER forged AFTER INSERT ON aliases
    FOR EACH ROW EXECUTE FUNCTION public.note_change('id');
INSERT INTO pg_temp.aliases VALUES ('a move that never was');
"""

BEFORE = """
CREATE OR REPLACE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO changes (role, client, change, subject, key) VALUES (
        session_user, coalesce(current_setting('application_name', true), ''),
        lower(TG_OP), TG_TABLE_NAME,
        coalesce(to_jsonb(CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END) ->> TG_ARGV[0], ''));
    RETURN NULL;
END $$;
GRANT EXECUTE ON FUNCTION note_change() TO PUBLIC;
GRANT TEMPORARY ON DATABASE {database} TO PUBLIC;
UPDATE registry_lock SET version = 7;
"""
"""The record of version 7, and its rights."""


@pytest.fixture
def owned(open_shared: Open, postgres: PostgresServer, database: str) -> Registry:
    """A registry with a protected target, roles and an operator."""
    registry = open_shared("owner")
    registry.labels.change("local", {"approval": "required"})
    postgres.sql(roles(), database)
    postgres.add_role("operator", "edgewright_operator")
    return registry


@pytest.fixture
def attacked(owned: Registry, postgres: PostgresServer, database: str) -> Registry:
    """The registry, where an administrator lets the operator make temporary tables after all."""
    postgres.sql(f"GRANT TEMPORARY ON DATABASE {database} TO operator", database)
    return owned


def last_change(postgres: PostgresServer, database: str) -> tuple[str, ...]:
    """Role, change and table of the newest row in the record."""
    newest = "SELECT role, change, subject FROM public.changes ORDER BY id DESC LIMIT 1"
    return (postgres.sql(newest, database) or [()])[0]


def is_approver(postgres: PostgresServer) -> bool:
    """Whether the operator has become an approver."""
    asked = "SELECT pg_has_role('operator', 'edgewright_approver', 'MEMBER')"
    return bool(postgres.sql(asked)[0][0])


def test_a_table_of_an_operator_is_not_taken_for_the_record(
    attacked: Registry, postgres: PostgresServer, database: str
) -> None:
    postgres.sql(ATTACK, database, "operator")
    assert attacked.labels.having("approval", "required") == PROTECTED
    assert not is_approver(postgres)
    assert last_change(postgres, database) == ("operator", "insert", "models")


@pytest.mark.parametrize(
    "statement",
    [
        FORGERY,
        "CREATE FUNCTION public.length(bytea) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE SCHEMA owner",
        "INSERT INTO changes (role, client, change, subject, key) VALUES ('ben', '', '', '', '')",
        "ALTER FUNCTION note_change() SET search_path FROM CURRENT",
    ],
)
def test_an_operator_puts_nothing_where_the_owner_looks_for_names(
    attacked: Registry, postgres: PostgresServer, database: str, statement: str
) -> None:
    import psycopg

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        postgres.sql(statement, database, "operator")


def test_no_role_makes_temporary_tables(
    owned: Registry, postgres: PostgresServer, database: str
) -> None:
    import psycopg

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        postgres.sql("CREATE TEMPORARY TABLE t (id int)", database, "operator")


def test_each_function_of_the_registry_has_a_search_path(
    owned: Registry, postgres: PostgresServer, database: str
) -> None:
    listed = postgres.sql(
        "SELECT proname, prosecdef, proconfig FROM pg_proc"
        " WHERE pronamespace = 'public'::regnamespace ORDER BY proname",
        database,
    )
    path = ["search_path=pg_catalog, pg_temp"]
    assert listed == [("keep_protected", False, path), ("note_change", True, path)]


def test_the_functions_of_an_existing_database_are_replaced(
    owned: Registry, open_shared: Open, postgres: PostgresServer, database: str
) -> None:
    postgres.sql(BEFORE.format(database=database), database)
    with pytest.raises(StudioError, match="are not ready, and your role may not create them"):
        open_shared("operator", "operator")
    open_shared("migrated")
    postgres.sql(f"GRANT TEMPORARY ON DATABASE {database} TO operator", database)
    postgres.sql(ATTACK, database, "operator")
    assert not is_approver(postgres)
    assert last_change(postgres, database) == ("operator", "insert", "models")


def test_a_database_that_stays_open_to_every_role_is_refused(
    owned: Registry, open_shared: Open, postgres: PostgresServer, database: str
) -> None:
    """As in one whose owner is another than that of its tables."""
    postgres.sql(BEFORE.format(database=database), database)
    other = (
        f"ALTER DATABASE {database} OWNER TO {SUPERUSER}; GRANT CREATE ON SCHEMA public TO owner"
    )
    postgres.sql(other, database, SUPERUSER)
    with pytest.raises(StudioError, match="Every role may create objects or temporary tables"):
        open_shared("migrated")
    assert postgres.sql("SELECT version FROM registry_lock", database) == [(7,)]


def handed_over() -> str:
    """The SQL of the documentation that gives a registry another owner."""
    page = Path("docs/shared-registry.md").read_text("utf-8").partition("\n## Owner\n")[2]
    return page.partition("```sql\n")[2].partition("```")[0]


def test_a_registry_of_a_superuser_is_refused_until_it_has_an_owner(
    open_shared: Open, owned: Registry, postgres: PostgresServer, database: str
) -> None:
    with pytest.raises(StudioError, match="would run as a superuser") as caught:
        open_shared("admin", SUPERUSER)
    assert "section Owner" in caught.value.hint
    postgres.sql(f"ALTER FUNCTION note_change() OWNER TO {SUPERUSER}", database, SUPERUSER)
    postgres.sql(f"ALTER TABLE targets OWNER TO {SUPERUSER}", database, SUPERUSER)
    for person in ("owner", "operator"):
        with pytest.raises(StudioError, match="would run as a superuser"):
            open_shared("again", person)
    postgres.sql(handed_over().replace("models_owner", "owner"), database, SUPERUSER)
    open_shared("owner2").add_model("digits")
    assert last_change(postgres, database) == ("owner", "insert", "models")

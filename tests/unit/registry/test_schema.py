"""An older registry is brought up to date, and nothing in it is lost."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from studio.registry import Registry
from studio.registry.schema import VERSION

_FIRST = ("models", "variants", "runs", "versions", "targets", "releases")


def version(folder: Path) -> int:
    connection = sqlite3.connect(folder / "registry.sqlite")
    try:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])
    finally:
        connection.close()


def test_the_first_form_is_brought_up_to_date(tmp_path: Path) -> None:
    registry = Registry.open(tmp_path)
    registry.add_model("kept")
    registry.close()
    connection = sqlite3.connect(tmp_path / "registry.sqlite")
    for table in ("kept", "actions", "aliases", "moves"):
        connection.execute(f"DROP TABLE {table}")
    connection.execute("PRAGMA user_version=1")
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    connection.commit()
    connection.close()
    assert {name for (name,) in tables} >= set(_FIRST)
    registry = Registry.open(tmp_path)
    assert [model.name for model in registry.models()] == ["kept"]
    registry.ledger.store_result("key", "open", "run", {"variant": 1})
    kept = registry.ledger.cached_result("key")
    registry.close()
    assert kept is not None
    assert kept.result == {"variant": 1}
    assert version(tmp_path) == VERSION


def test_the_second_form_gets_its_indexes(tmp_path: Path) -> None:
    registry = Registry.open(tmp_path)
    registry.add_release("board", None, "a" * 64, "serving", {"version": 1})
    registry.close()
    connection = sqlite3.connect(tmp_path / "registry.sqlite")
    for index in ("releases_last", "releases_version"):
        connection.execute(f"DROP INDEX {index}")
    connection.execute("PRAGMA user_version=2")
    connection.close()
    registry = Registry.open(tmp_path)
    assert registry.history.serving() == {"board"}
    registry.close()
    connection = sqlite3.connect(tmp_path / "registry.sqlite")
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    connection.close()
    assert {"releases_last", "releases_version"} <= names
    assert version(tmp_path) == VERSION


def test_the_fifth_form_gets_the_index_of_last_changes(tmp_path: Path) -> None:
    registry = Registry.open(tmp_path)
    registry.add_release("board", None, "a" * 64, "serving", {"version": 1})
    registry.close()
    connection = sqlite3.connect(tmp_path / "registry.sqlite")
    connection.execute("DROP INDEX releases_last")
    connection.execute("CREATE INDEX releases_state ON releases (target, state)")
    connection.execute("PRAGMA user_version=5")
    connection.close()
    registry = Registry.open(tmp_path)
    assert registry.history.running()["board"].digest == "a" * 64
    registry.close()
    connection = sqlite3.connect(tmp_path / "registry.sqlite")
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    connection.close()
    assert "releases_last" in names
    assert "releases_state" not in names
    assert version(tmp_path) == VERSION


def test_actions_are_bounded(tmp_path: Path) -> None:
    registry = Registry.open(tmp_path)
    for number in range(3):
        registry.ledger.add_action("open", {"n": number}, {}, "window")
    numbers = [action.options["n"] for action in registry.ledger.actions(2)]
    registry.close()
    assert numbers == [2, 1]

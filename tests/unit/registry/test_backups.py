"""Copies of the registry and the way back: made once a day, few, whole, and never over others."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from studio.api import StudioError, UsageError
from studio.registry import Registry
from studio.registry.backups import (
    DAILY,
    DATABASE,
    KEPT,
    MANUAL,
    MIGRATION,
    REPLACED,
    Backups,
    DamagedRegistry,
    faults_of,
)
from studio.registry.restore import RegistryRestore

DAY = 86_400


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "registry"


@pytest.fixture
def registry(folder: Path) -> Iterator[Registry]:
    opened = Registry.open(folder)
    opened.add_model("first")
    yield opened
    opened.close()


def kinds(folder: Path) -> list[str]:
    return [one.kind for one in Backups(folder).all()]


def models(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return {str(row[0]) for row in connection.execute("SELECT name FROM models")}


def aged(folder: Path, days: float) -> None:
    """Let every copy and what is in the registry be older by some days."""
    for one in Backups(folder).all():
        name = time.strftime("%Y%m%d-%H%M%S", time.gmtime(one.made.timestamp() - days * DAY))
        one.path.rename(one.path.with_name(f"{name}{one.path.name[15:]}"))


def damage(folder: Path) -> bytes:
    content = (folder / DATABASE).read_bytes()
    (folder / DATABASE).write_bytes(bytes(100) + content[100:])
    return (folder / DATABASE).read_bytes()


def test_a_copy_is_made_once_a_day_when_something_was_written(
    registry: Registry, folder: Path
) -> None:
    registry.back_up()
    registry.back_up()
    assert kinds(folder) == [DAILY]
    aged(folder, 2)
    registry.add_model("second")
    registry.back_up()
    assert kinds(folder) == [DAILY, DAILY]
    newest = Backups(folder).all()[0].path
    assert models(newest) == {"first", "second"}
    assert newest.stat().st_mode & 0o077 == 0


def test_what_has_not_changed_is_not_copied_again(registry: Registry, folder: Path) -> None:
    registry.back_up()
    aged(folder, 2)
    old = Backups(folder).all()[0].made.timestamp() - 60
    for path in folder.glob(f"{DATABASE}*"):
        os.utime(path, (old, old))
    registry.back_up()
    assert kinds(folder) == [DAILY]


def test_an_empty_registry_is_not_copied(folder: Path) -> None:
    registry = Registry.open(folder)
    registry.back_up()
    registry.close()
    assert kinds(folder) == []


def test_seven_are_kept_and_foreign_files_stay(registry: Registry, folder: Path) -> None:
    backups = Backups(folder)
    backups.folder.mkdir()
    foreign = backups.folder / "thesis.sqlite"
    foreign.write_text("years of work")
    for number in range(KEPT + 3):
        registry.add_model(f"m{number}")
        backups.make(DAILY)
    backups.make(MANUAL)
    assert kinds(folder).count(DAILY) == KEPT
    assert kinds(folder).count(MANUAL) == 1
    assert f"m{KEPT + 2}" in models(backups.all()[0].path)
    assert foreign.read_text() == "years of work"


def test_a_copy_has_what_was_written_a_moment_ago_and_nothing_half(
    registry: Registry, folder: Path
) -> None:
    """The log beside the database is a part of it."""
    registry.add_model("in the log")
    assert (folder / f"{DATABASE}-wal").stat().st_size > 0
    with registry.quiet():
        registry.add_model("not yet")
        path = Backups(folder).make(MANUAL)
    assert models(path) == {"first", "in the log"}
    assert not list(path.parent.glob(f"{path.name}-*"))


def test_a_damaged_registry_never_takes_the_place_of_a_whole_copy(
    registry: Registry, folder: Path
) -> None:
    registry.back_up()
    registry.close()
    kept = Backups(folder).all()[0].path.read_bytes()
    damage(folder)
    with pytest.raises(DamagedRegistry):
        Backups(folder).make(DAILY)
    assert [one.path.read_bytes() for one in Backups(folder).all()] == [kept]
    assert not list((folder / "backups").glob(".new-*"))


def test_an_older_registry_is_copied_before_it_is_changed(registry: Registry, folder: Path) -> None:
    registry.close()
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        connection.execute("DROP TABLE identity")
        connection.execute("PRAGMA user_version=3")
    Registry.open(folder).close()
    (copy,) = Backups(folder).all()
    assert copy.kind == MIGRATION
    with closing(sqlite3.connect(copy.path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (3,)
    assert models(copy.path) == {"first"}


def test_the_advice_after_damage_leads_to_a_whole_registry(
    registry: Registry, folder: Path
) -> None:
    registry.back_up()
    registry.close()
    broken = damage(folder)
    with pytest.raises(DamagedRegistry, match="is damaged") as told:
        Registry.open(folder)
    assert told.value.hint.endswith("studio registry restore")
    _source, aside = RegistryRestore(folder).run()
    assert aside is not None
    assert (aside / DATABASE).read_bytes() == broken
    again = Registry.open(folder)
    assert [model.name for model in again.models()] == ["first"]
    assert again.owns_store
    assert again.restored
    again.close()


def read(folder: Path) -> None:
    registry = Registry.open(folder)
    try:
        registry.models()
    finally:
        registry.close()


def test_damage_inside_is_said_when_it_is_met(registry: Registry, folder: Path) -> None:
    for number in range(300):
        registry.add_model(f"a rather long name of a model, number {number}")
    registry.back_up()
    registry.close()
    path = folder / DATABASE
    content = bytearray(path.read_bytes())
    for page in range(4096, len(content), 4096):  # all but the first, which tells the tables
        content[page : page + 200] = b"\xff" * 200
    path.write_bytes(content)
    with pytest.raises(DamagedRegistry, match="is damaged"):
        read(folder)


def test_a_lost_database_is_not_replaced_by_an_empty_one(registry: Registry, folder: Path) -> None:
    file = folder.parent / "model.onnx"
    file.write_bytes(b"weights")
    artifact = registry.adopt(file)
    registry.back_up()
    registry.close()
    for content in (None, b""):
        (folder / DATABASE).unlink()
        if content is not None:
            (folder / DATABASE).write_bytes(content)
        with pytest.raises(DamagedRegistry, match="has lost its database"):
            Registry.open(folder)
        RegistryRestore(folder).run()
        again = Registry.open(folder)
        assert [model.name for model in again.models()] == ["first"]
        again.close()
    assert artifact.path.read_bytes() == b"weights"


def test_a_registry_in_use_is_not_replaced(registry: Registry, folder: Path) -> None:
    registry.back_up()
    before = (folder / DATABASE).read_bytes()
    with pytest.raises(StudioError, match="is in use"):
        RegistryRestore(folder).run()
    assert (folder / DATABASE).read_bytes() == before
    registry.add_model("goes on")


def test_going_back_by_choice_keeps_what_was_there(registry: Registry, folder: Path) -> None:
    first = Backups(folder).make(MANUAL)
    registry.add_model("second")
    registry.close()
    _source, aside = RegistryRestore(folder).run(first)
    assert aside is not None
    assert models(aside) == {"first", "second"}
    assert models(folder / DATABASE) == {"first"}
    assert kinds(folder).count(REPLACED) == 1
    _source, _aside = RegistryRestore(folder).run()
    assert models(folder / DATABASE) == {"first"}, "what was put away is not gone back to by itself"
    RegistryRestore(folder).run(aside)
    assert models(folder / DATABASE) == {"first", "second"}


def test_an_old_log_is_not_played_into_the_copy(registry: Registry, folder: Path) -> None:
    registry.back_up()
    registry.add_model("only in the log")
    log = (folder / f"{DATABASE}-wal").read_bytes()
    registry.close()
    (folder / DATABASE).write_bytes(b"junk" * 8192)
    (folder / f"{DATABASE}-wal").write_bytes(log)
    _source, aside = RegistryRestore(folder).run()
    assert aside is not None
    assert aside.exists()
    assert not (folder / f"{DATABASE}-wal").exists()
    assert models(folder / DATABASE) == {"first"}
    assert faults_of(folder / DATABASE) == []


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + bytes(4096)])
def test_what_is_no_copy_is_not_taken(
    registry: Registry, folder: Path, tmp_path: Path, content: bytes
) -> None:
    registry.close()
    before = (folder / DATABASE).read_bytes()
    (tmp_path / "other").write_bytes(content)
    with pytest.raises(UsageError, match="backup of a registry"):
        RegistryRestore(folder).run(tmp_path / "other")
    with pytest.raises(UsageError, match="has no intact backup"):
        RegistryRestore(folder).run()
    assert (folder / DATABASE).read_bytes() == before
    assert not list(folder.glob(".restored-*"))


def test_a_registry_made_anew_does_not_crowd_out_the_copies_of_the_one_before(
    registry: Registry, folder: Path
) -> None:
    file = folder.parent / "model.onnx"
    file.write_bytes(b"weights")
    registry.adopt(file)
    registry.back_up()
    registry.close()
    kept = Backups(folder).all()[0].path
    (folder / DATABASE).unlink()
    aside = kept.rename(folder / "elsewhere")
    young = Registry.open(folder)  # there is no copy: a new one is made
    aside.rename(kept)
    young.add_model("young")
    for _number in range(KEPT + 1):
        Backups(folder).make(DAILY)
    assert not young.owns_store
    young.close()
    assert Backups(folder).newest_whole() is not None
    assert Backups(folder).all()[0].path == kept
    RegistryRestore(folder).run()
    assert models(folder / DATABASE) == {"first"}

"""Aliases, promotion with evidence, lineage, what ran when, and the collection of garbage."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.api import GateMissed, Refused, UsageError
from studio.registry import Registry, VersionRecord
from studio.registry.backups import MANUAL
from studio.registry.restore import RegistryRestore
from studio.versions import aliases, garbage
from studio.versions.results import AliasMove, GarbageResult
from studio.versions.serving_history import served_at, served_on
from studio.versions.step import (
    AliasOptions,
    GarbageOptions,
    PromoteOptions,
    RollBackOptions,
)
from studio.versions.timestamps import moment
from studio.versions.versions import find_version, lineage

GATE = {"name": "small", "passed": True, "value": 0.3, "limit": "at most 0.5"}


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    opened = Registry.open(tmp_path / "data" / "registry")
    yield opened
    opened.close()


def made(registry: Registry, number: int) -> VersionRecord:
    """A version of the model ``m``, with a bundle that says its number."""
    folder = registry.folder.parent / f"work-{number}"
    bundle = folder / "bundle"
    bundle.mkdir(parents=True)
    (bundle / "manifest.json").write_text(json.dumps({"number": number, "created": "2026"}))
    (folder / "m.onnx").write_bytes(bytes([number]) * 100)
    model = registry.add_model("m")
    variant = registry.add_variant(
        model, "fp32", registry.adopt(folder / "m.onnx"), format="onnx", precision="fp32"
    )
    digest = f"{number:064x}"
    artifact = registry.adopt(bundle, f"m-{number}")
    return registry.add_version(model, variant.id, artifact, digest, number)


def released(registry: Registry, version: VersionRecord, target: str = "board") -> None:
    details = {"version": version.number, "name": "m", "by": "ann"}
    registry.add_release(target, version.id, version.digest, "serving", details)
    time.sleep(0.005)  # the registry's clock ticks in milliseconds


def judged(registry: Registry, version: VersionRecord, *gates: dict[str, Any]) -> None:
    """A run of a pipeline that made a version."""
    run = registry.folder.parent / "runs" / f"r-{version.number}"
    (run / "results").mkdir(parents=True)
    steps = [{"id": "pack", "step": "package", "state": "succeeded"}]
    document = {"id": run.name, "state": "succeeded", "steps": steps, "gates": list(gates)}
    (run / "run.json").write_text(json.dumps(document))
    (run / "results" / "pack.json").write_text(json.dumps({"digest": version.digest}))


def set_alias(registry: Registry, version: str, alias: str, *, remove: bool = False) -> AliasMove:
    options = AliasOptions(version, alias, remove)
    return aliases.set_alias(registry, options, Path())


def promote(registry: Registry, version: str, **options: str) -> AliasMove:
    return aliases.promote(registry, PromoteOptions(version, **options), Path())


def roll_back(registry: Registry, model: str) -> AliasMove:
    return aliases.roll_back(registry, RollBackOptions(model), Path())


def test_versions_are_found_by_number_alias_and_digest(registry: Registry) -> None:
    first, second = made(registry, 1), made(registry, 2)
    assert find_version(registry, "m").version.id == second.id
    assert find_version(registry, "m:1").version.id == first.id
    set_alias(registry, "m:1", "production")
    found = find_version(registry, "m@production")
    assert (found.name, found.aliases) == ("m:1", ("production",))
    for text, words in (
        ("x", "Unknown model 'x'"),
        ("m:7", "Unknown version 7 of m"),
        ("m@best", "no alias 'best'"),
    ):
        with pytest.raises(UsageError, match=words):
            find_version(registry, text)
    with pytest.raises(UsageError, match="cannot be an alias"):
        set_alias(registry, "m:1", "Not This")


def test_promotion_needs_gates_that_were_met(registry: Registry) -> None:
    first, second, third = (made(registry, number) for number in (1, 2, 3))
    judged(registry, first, GATE)
    judged(registry, second, GATE, {**GATE, "name": "fast", "passed": False})
    done = promote(registry, "m:1")
    assert (done.alias, done.to, done.before) == ("production", 1, None)
    assert done.ground.gates[0].name == "small"
    with pytest.raises(GateMissed, match="the gate 'fast' failed"):
        promote(registry, "m:2")
    with pytest.raises(Refused, match="No pipeline run has evaluated m:3"):
        promote(registry, "m:3")
    with pytest.raises(Refused, match="did not make m:3"):
        promote(registry, "m:3", run="r-1")
    assert find_version(registry, "m@production").version.id == first.id
    done = promote(registry, "m:3", reason="an emergency")
    assert done.ground.because == "an emergency"
    told = lineage(registry, find_version(registry, "m:3"))
    assert [(one.why, one.before, one.to) for one in told.moves] == [("promoted", 1, 3)]
    assert third.digest == told.digest


def test_an_alias_goes_back_step_by_step(registry: Registry) -> None:
    for number in (1, 2, 3):
        made(registry, number)
        set_alias(registry, f"m:{number}", "production")
    back = [roll_back(registry, "m").to for _ in range(2)]
    assert back == [2, 1]
    with pytest.raises(UsageError, match="has no previous version"):
        roll_back(registry, "m")
    set_alias(registry, "m:3", "production")
    assert roll_back(registry, "m").to == 1
    set_alias(registry, "m", "production", remove=True)
    with pytest.raises(UsageError, match="no alias"):
        find_version(registry, "m@production")


def test_a_trial_is_time_in_which_a_version_ran(registry: Registry) -> None:
    """Also that of a version that was taken back: clients had its answers."""
    first, second, third = (made(registry, number) for number in (1, 2, 3))
    day = "2026-11-26T{}.000+00:00".format
    registry.add_release(
        "board", first.id, first.digest, "serving", {"version": 1}, day("10:00:00")
    )
    details = {"version": 2, "until": day("10:07:00")}
    registry.add_release("board", second.id, second.digest, "failed", details, day("10:05:00"))
    details = {"version": 3, "soak": {"seconds": 60.0}}
    registry.add_release("board", third.id, third.digest, "serving", details, day("10:10:00"))

    def ran(time: str) -> tuple[int | None, bool, str | None]:
        found = served_at(registry, "board", day(time))
        assert found is not None
        return found.version, found.on_trial, found.until

    assert ran("10:04:00") == (1, False, day("10:10:00"))
    assert ran("10:06:00") == (2, True, day("10:07:00"))
    assert ran("10:08:00") == (1, False, day("10:10:00"))
    assert ran("10:10:30") == (3, True, None)
    assert ran("10:12:00") == (3, False, None)


def test_beside_a_canary_the_version_before_goes_on(registry: Registry) -> None:
    first, second = made(registry, 1), made(registry, 2)
    released(registry, first)
    registry.add_release("board", second.id, second.digest, "canary", {"version": 2})

    def ran() -> tuple[int | None, int | None]:
        found = served_at(registry, "board")
        assert found is not None
        return found.version, found.canary

    assert ran() == (1, 2)
    assert served_on(registry) == {first.digest: ["board"], second.digest: ["board"]}
    registry.add_release("board", first.id, first.digest, "replaced", {"version": 1})
    released(registry, second)
    assert ran() == (2, None)
    registry.add_release("board", first.id, first.digest, "canary", {"version": 1})
    registry.add_release("board", first.id, first.digest, "rolled back", {"version": 1})
    released(registry, second)
    assert ran() == (2, None)


def test_a_change_keeps_its_own_moment_when_it_is_recorded_later(registry: Registry) -> None:
    """As those of a rollout are, at its end; the order of a target's changes stays."""
    version = made(registry, 1)
    moments = ("2026-11-26T10:00:00.000+00:00", "2026-11-26T10:00:00.000+00:00")
    for state, at in zip(("serving", "removed"), moments, strict=True):
        registry.add_release("board", version.id, version.digest, state, {}, at)
    assert [one.created for one in registry.releases("board")] == [
        "2026-11-26T10:00:00.001+00:00",
        "2026-11-26T10:00:00.000+00:00",
    ]


def test_which_version_ran_at_a_moment(registry: Registry) -> None:
    first, second = made(registry, 1), made(registry, 2)
    released(registry, first)
    released(registry, second)
    registry.add_release("board", second.id, second.digest, "rolled back", {})
    released(registry, first)
    registry.add_release("board", first.id, first.digest, "removed", {})
    rows = list(reversed(registry.releases("board")))
    assert len({row.created for row in rows}) == 5, "each has a moment of its own"
    at = [served_at(registry, "board", row.created) for row in rows]
    versions = [found.version if found else None for found in at]
    assert versions == [1, 2, 2, 1, None]
    assert at[0] is not None
    assert at[0].until == rows[1].created
    assert served_at(registry, "board", "2000-01-01T00:00:00.000+00:00") is None
    assert served_at(registry, "board") is None
    released(registry, second)
    assert served_on(registry) == {second.digest: ["board"]}
    since = served_at(registry, "board")
    released(registry, second)
    assert served_at(registry, "board") == since, "deployed again, it has served all the while"
    with pytest.raises(UsageError, match="Invalid date and time"):
        moment("yesterday")
    assert moment("2026-11-26T10:00:00+02:00") == "2026-11-26T08:00:00.000+00:00"


def collect(registry: Registry, *, dry_run: bool = False, forgotten: bool = False) -> GarbageResult:
    options = GarbageOptions(1, dry_run, forgotten)
    return garbage.collect(registry, options, Path())


def test_collection_never_removes_what_runs_or_may_come_back(registry: Registry) -> None:
    versions = [made(registry, number) for number in range(1, 8)]
    for version in versions[:5]:
        released(registry, version)
    released(registry, versions[0], "other")
    registry.add_release("other", versions[0].id, versions[0].digest, "removed", {})
    released(registry, versions[0], "third")
    set_alias(registry, "m:6", "candidate")
    plan = collect(registry, dry_run=True)
    assert [one.name for one in plan.versions] == ["m:2"]
    assert all(version.path.is_dir() for version in versions), "a dry run removed something"
    why = {one.name: one.because for one in plan.kept}
    assert why["m:1"] == "it runs on third"
    assert why["m:5"] == "it runs on board"
    assert why["m:4"] == why["m:3"] == "board can be rolled back to it"
    assert why["m:6"] == "m@candidate points to it"
    assert why["m:7"] == "among the newest 1"
    collect(registry)
    there = [version.number for version in versions if version.path.is_dir()]
    assert there == [1, 3, 4, 5, 6, 7]
    told = lineage(registry, find_version(registry, "m:2"))
    assert (told.bundle, told.variants[0].step) == ("", "open")
    assert not list(registry.store.glob(".trash-*"))


def test_collection_leaves_what_a_run_that_is_not_finished_has_made(registry: Registry) -> None:
    first, second = made(registry, 1), made(registry, 2)
    judged(registry, first)
    run = registry.folder.parent / "runs" / "r-1"
    document = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**document, "state": "running"}))
    (run / "results" / "pack.json").write_text(json.dumps({"bundle": str(first.path)}))
    assert collect(registry).versions == ()
    (run / "run.json").write_text(json.dumps(document))
    assert [one.name for one in collect(registry).versions] == ["m:1"]
    assert second.path.is_dir()


def test_orphans_go_when_they_are_old(registry: Registry, tmp_path: Path) -> None:
    made(registry, 1)
    stray = tmp_path / "stray"
    stray.write_bytes(b"left by a crash")
    artifact = registry.adopt(stray)
    assert collect(registry).orphans == ()
    old = time.time() - 7200
    os.utime(artifact.path.parent, (old, old))
    assert len(collect(registry).orphans) == 1
    assert not artifact.path.exists()


def aged(path: Path) -> None:
    old = time.time() - 7200
    os.utime(path, (old, old))


def test_collection_takes_only_what_it_has_listed_in_the_store(registry: Registry) -> None:
    """A path that a row holds, from before names were checked, leads a removal nowhere."""
    versions = [made(registry, number) for number in range(1, 4)]
    victim = registry.folder.parent / "victim"
    (victim / "x-1").mkdir(parents=True)
    (victim / "thesis.txt").write_text("years of work")
    inside = versions[1].path.parent
    for number, path in (
        (1, victim / "x-1"),
        (2, inside / ".." / ".." / ".." / "victim" / "x-1"),
    ):
        with registry._db.write() as db:
            db.execute("UPDATE versions SET path = ? WHERE number = ?", (str(path), number))
    for name in ("notes", ".trash-of-mine", "f" * 63, "F" * 64):
        (registry.store / name).mkdir()
        (registry.store / name / "thesis.txt").write_text("years of work")
        aged(registry.store / name)
    (registry.store / ("e" * 64)).symlink_to(victim)
    found = collect(registry)
    assert found.versions == ()
    assert (victim / "thesis.txt").is_file()
    assert (victim / "x-1").is_dir()
    assert len(list(registry.store.glob("*/thesis.txt"))) == 5


def test_a_folder_that_something_else_needs_stays(registry: Registry) -> None:
    first, _second = made(registry, 1), made(registry, 2)
    shared = registry.folder.parent / "shared"
    shared.write_bytes(b"more")
    artifact = registry.adopt(shared)
    os.rename(artifact.path, first.path.parent / "shared")
    with registry._db.write() as db:
        row = (str(first.path.parent / "shared"),)
        db.execute("UPDATE variants SET path = ? WHERE id = 1", row)
    assert collect(registry).versions == ()
    assert first.path.is_dir()


def test_a_registry_that_is_younger_than_its_store_removes_nothing(registry: Registry) -> None:
    version = made(registry, 1)
    for path in registry.store.iterdir():
        aged(path)
    registry.close()
    (registry.folder / "registry.sqlite").unlink()
    young = Registry.open(registry.folder)
    try:
        with pytest.raises(Refused, match="knows nothing of what lies in its store"):
            collect(young)
        made(young, 2)  # also not when it has taken something in itself
        with pytest.raises(Refused, match="knows nothing"):
            collect(young)
    finally:
        young.close()
    assert version.path.is_dir()


def test_a_registry_without_a_row_for_its_store_removes_nothing(registry: Registry) -> None:
    stray = registry.folder.parent / "stray"
    stray.write_bytes(b"of whom?")
    artifact = registry.adopt(stray)
    aged(artifact.path.parent)
    with pytest.raises(Refused, match="knows nothing"):
        collect(registry)
    assert artifact.path.is_file()


def test_what_a_restore_has_forgotten_stays_until_it_is_named(registry: Registry) -> None:
    made(registry, 1)
    registry.backups.make(MANUAL)
    second = made(registry, 2)
    for path in registry.store.iterdir():
        aged(path)
    registry.close()
    RegistryRestore(registry.folder).run(registry.backups.all()[0].path)
    again = Registry.open(registry.folder)
    try:
        found = collect(again)
        assert (found.orphans, found.spared) == ((), 2)
        assert second.path.is_dir()
        found = collect(again, forgotten=True)
        assert len(found.orphans) == 2
    finally:
        again.close()
    assert not second.path.exists()

"""Releases: what is asked of all targets at once takes few queries, however many targets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from studio.registry import Registry
from studio.registry.database import DatabaseRow, SqlValue
from studio.versions.serving_history import all_served_at, served_at, served_on

NAMES = [f"t{number:02}" for number in range(30)]


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    opened = Registry.open(tmp_path)
    for name in NAMES:
        opened.add_release(name, None, "a" * 64, "serving", {"version": 1, "name": "m"})
    opened.add_release("t01", None, "b" * 64, "failed", {"version": 2, "until": "2000"})
    opened.add_release("t02", None, "a" * 64, "removed", {})
    opened.add_release("t03", None, "c" * 64, "canary", {"version": 3})
    yield opened
    opened.close()


@pytest.fixture
def asked(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The queries from now on."""
    found: list[str] = []
    ask = registry._db.all

    def noted(statement: str, values: tuple[SqlValue, ...] = ()) -> Sequence[DatabaseRow]:
        found.append(statement)
        return ask(statement, values)

    monkeypatch.setattr(registry._db, "all", noted)
    return found


def test_which_targets_serve(registry: Registry, asked: list[str]) -> None:
    assert registry.history.serving() == frozenset(NAMES) - {"t02"}
    assert registry.history.targets() == NAMES
    assert len(asked) == 2


def test_what_all_serve_is_what_each_serves(registry: Registry, asked: list[str]) -> None:
    for moment in (None, "2999-01-01T00:00:00.000+00:00", "2000-01-01T00:00:00.000+00:00"):
        asked.clear()
        together = all_served_at(registry, NAMES, moment)
        assert len(asked) <= 2
        assert together == {name: served_at(registry, name, moment) for name in NAMES}
    asked.clear()
    assert served_on(registry) == {"a" * 64: [n for n in NAMES if n != "t02"], "c" * 64: ["t03"]}
    assert len(asked) == 1


def test_some_are_had_by_their_numbers_and_the_newest_by_their_count(registry: Registry) -> None:
    newest = registry.releases(most=2)
    assert [one.target for one in newest] == ["t03", "t02"]
    numbers = [one.id for one in registry.releases()]
    assert registry.history.these(numbers * 40) == {one.id: one for one in registry.releases()}
    assert registry.history.these([]) == {}


def test_whether_a_model_was_deployed(registry: Registry, tmp_path: Path) -> None:
    model = registry.add_model("m")
    assert not registry.history.has(model)
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "m.onnx").write_bytes(b"x")
    artifact = registry.adopt(tmp_path / "work" / "m.onnx")
    variant = registry.add_variant(model, "fp32", artifact, format="onnx", precision="fp32")
    version = registry.add_version(model, variant.id, artifact, "d" * 64, 1)
    assert not registry.history.has(model)
    registry.add_release("t05", version.id, "d" * 64, "serving", {})
    assert registry.history.has(model)

"""Aliases that start a pipeline: once for each version, here and in another registry."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.api import ModelVersion, StudioError, TargetSpec, UsageError
from studio.deployment.results import MachineRelease, ReleasesResult
from studio.external_registries.results import ListResult, PullResult
from studio.jobs import End, JobOutcome
from studio.pipelines.resume import ResumedRollback
from studio.pipelines.triggers import Alias, Trigger
from studio.registry import Registry


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    opened = Registry.open(tmp_path / "registry")
    yield opened
    opened.close()


def version(registry: Registry, folder: Path, number: int) -> int:
    """A version of the model ``m`` that ``m@best`` stands for from now on."""
    path = folder / f"{number}.onnx"
    path.write_bytes(bytes([number]))
    bundle = folder / f"bundle-{number}"
    bundle.mkdir()
    (bundle / "manifest.json").write_text(str(number))
    model = registry.add_model("m")
    variant = registry.add_variant(
        model, "v", registry.adopt(path), format="onnx", precision="fp32"
    )
    made = registry.add_version(model, variant.id, registry.adopt(bundle), f"{number:064x}", number)
    registry.ledger.move_alias(model, "best", made.id, why="set", evidence={}, by="ann")
    return variant.id


def test_each_version_here_is_told_once(registry: Registry, tmp_path: Path) -> None:
    trigger = Trigger(Alias.of("m@best", None), registry, lambda *_, **__: pytest.fail("asked"))
    assert trigger.new_version() is None
    variant = version(registry, tmp_path, 1)
    told = trigger.new_version()
    assert told is not None
    assert (told.model, told.alias, told.version, told.variant) == ("m", "best", 1, variant)
    assert Path(told.bundle).is_dir()
    assert trigger.new_version() is None
    version(registry, tmp_path, 2)
    told = trigger.new_version()
    assert told is not None
    assert told.version == 2


PULLED = PullResult(
    registry="lab",
    name="m",
    version="1",
    aliases=("a",),
    run="",
    model="m",
    variant=7,
    variant_name="fp32",
    bundle="/b",
    release="r",
    number=1,
)


class Elsewhere:
    """The steps that talk to a registry outside."""

    def __init__(self) -> None:
        self.stands = "1"
        self.fails = False
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, step: str, **options: Any) -> JobOutcome:
        self.asked.append((step, options))
        if self.fails:
            return JobOutcome(End.FAILED, message="It does not answer.", hint="Wait.", exit_code=1)
        if step == "registry-list":
            rows = [ModelVersion("m", v, aliases=("a",) if v == self.stands else ()) for v in "12"]
            listed = ListResult("lab", name="m", versions=tuple(rows))
            return JobOutcome(End.SUCCEEDED, result=listed)
        return JobOutcome(End.SUCCEEDED, result=PULLED)


def test_a_version_elsewhere_is_fetched_when_the_alias_moves(registry: Registry) -> None:
    there = Elsewhere()
    trigger = Trigger(Alias.of("m@a", "lab"), registry, there)
    told = trigger.new_version()
    assert told is not None
    assert (told.version, told.variant, told.registry) == ("1", 7, "lab")
    assert there.asked[-1] == ("registry-pull", {"registry": "lab", "name": "m/1"})
    assert trigger.new_version() is None
    there.fails = True
    with pytest.raises(StudioError, match="does not answer"):
        trigger.new_version()
    there.fails, there.stands = False, "2"
    told = trigger.new_version()
    assert told is not None
    assert told.version == "2"


@pytest.mark.parametrize("text", ["m", "@a", "m@", ""])
def test_what_names_no_alias(text: str) -> None:
    with pytest.raises(UsageError, match="names no alias"):
        Alias.of(text, None)


class Board:
    """A runner whose target was rolled back, or not."""

    def __init__(self, registry: Registry, current: str) -> None:
        self.registry = registry
        self._current = current

    def run(self, step: str, given: dict[str, Any]) -> JobOutcome:
        assert (step, given) == ("releases", {"target": "board"})
        rows = (
            MachineRelease(2, "new", "m", "serving", "", "ann", "", True),
            MachineRelease(1, "old", "m", "replaced", "", "ann", "", True),
        )
        there = ReleasesResult("board", self._current, releases=rows)
        return JobOutcome(End.SUCCEEDED, result=there)


def test_a_rollback_that_was_done_before_a_crash_is_not_done_again(registry: Registry) -> None:
    registry.add_target(TargetSpec("board", "ssh://ann@board"))
    options = {"target": "board"}
    before = ResumedRollback(Board(registry, "new"), options)  # type: ignore[arg-type]
    assert before.current() == "new"
    assert before.done_before("new") is None, "nothing had happened yet"
    after = ResumedRollback(Board(registry, "old"), options)  # type: ignore[arg-type]
    outcome = after.done_before("new")
    assert outcome is not None
    assert (outcome.result.left_version, outcome.result.to) == (2, 1)
    states = [(row.digest, row.state) for row in registry.releases("board")]
    assert states == [("old", "serving"), ("new", "rolled back")]
    assert after.done_before("new") is not None
    assert len(registry.releases("board")) == 2, "it was noted twice"

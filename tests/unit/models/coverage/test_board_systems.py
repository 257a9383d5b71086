"""Will it run on a kind of board? The catalogue, whose boards need not be there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from studio.api import TargetSpec, UsageError
from studio.models.coverage.board_systems import kind_of, notes, systems
from studio.models.coverage.releases import releases
from studio.models.coverage.work import coverage
from studio.models.step import COVERAGE, NO_BOARD, CoverageOptions
from studio.settings.boards import boards
from tests.benchmarks.generated import transformer, write_onnx
from tests.rigs.model_refs import model_ref
from tests.unit.models.coverage.test_coverage import model
from tests.unit.models.test_preview import WatchedJob


def test_every_board_has_an_answer() -> None:
    (option,) = [one for one in COVERAGE.form if one.name == "board"]
    assert option.choices == (NO_BOARD, *(one.id for one in boards()))
    for kind in boards():
        found = systems(model(opset=9, ir=4), kind.id, 10.0, None)
        assert [one.name for one in found] == [image.name for image in kind.images]
        for one, image in zip(found, kind.images, strict=True):
            assert bool(one.problems) == (not image.serves)
            assert all(problem.hint for problem in one.problems)


def test_a_model_that_is_too_new_for_an_old_system() -> None:
    newest = releases()[-1]
    found = {one.name: one for one in systems(model(newest.opset), "raspberry-pi-4", 10.0, None)}
    old = next(one for name, one in found.items() if "bullseye" in name)
    assert [problem.code for problem in old.problems] == ["opset"]
    new = next(one for name, one in found.items() if "bookworm" in name)
    assert not new.problems


def test_no_wheel_and_an_old_python_are_said() -> None:
    (arm,) = systems(model(), "generic-armv7l", 10.0, None)[:1]
    assert arm.release is None
    assert "has no wheel" in arm.problems[0].text
    nano = systems(model(), "jetson-nano", 10.0, None)[0]
    assert "Python 3.6" in nano.problems[0].text


def test_memory_of_boards_that_are_sold_in_sizes() -> None:
    kind = kind_of("raspberry-pi-4")
    assert any("1,024 and 2,048 MB" in note for note in notes(kind, 3_000.0))
    assert not systems(model(), kind.id, 3_000.0, None)[0].problems
    (problem,) = systems(model(), kind.id, 9_000.0, None)[0].problems
    assert problem.code == "memory"
    assert not any("too large" in note for note in notes(kind, 100.0))


def test_the_step(tmp_path: Path) -> None:
    write_onnx(transformer(60), tmp_path / "m.onnx")
    asked = CoverageOptions(model_ref(tmp_path / "m.onnx"), board="raspberry-pi-5")
    result = coverage(asked, WatchedJob(tmp_path))
    assert result.covered
    assert result.board == "raspberry-pi-5"
    assert str(result.target).startswith("Raspberry Pi 5, ")
    assert result.systems
    assert [one.name for one in result.systems]
    older = coverage(replace(asked, runtime="1.10"), WatchedJob(tmp_path))
    assert older.runtime == "onnxruntime 1.10"
    with pytest.raises(UsageError, match="cannot be combined with --board"):
        coverage(replace(asked, target=TargetSpec("pi", "ssh://pi")), WatchedJob(tmp_path))
    with pytest.raises(UsageError, match="Unknown board type 'toaster'"):
        coverage(replace(asked, board="toaster"), WatchedJob(tmp_path))

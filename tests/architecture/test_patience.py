"""The tests' own limits: they follow the machine, and no example is judged by its time."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.rigs import patience as rig


@pytest.mark.parametrize(
    ("load", "factor"),
    [
        ("0.10 0.20 0.30 1/200 999", 1.0),
        ("{cores} 0.20 0.30 1/200 999", 1.0),
        ("{seven} 0.20 0.30 1/200 999", 14.0),  # the last minute
        ("0.10 0.20 0.30 {seven}/200 999", 14.0),  # right now
    ],
)
def test_limits_grow_with_what_wants_the_processors(
    load: str, factor: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cores = len(os.sched_getaffinity(0))
    (tmp_path / "loadavg").write_text(load.format(cores=cores, seven=7 * cores))
    monkeypatch.setattr(rig, "_LOAD", tmp_path / "loadavg")
    assert rig.patience(3.0) == pytest.approx(3.0 * factor)


def test_without_the_kernels_file_there_is_a_limit_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rig, "_LOAD", tmp_path / "none")
    assert rig.patience(3.0) >= 3.0


def test_examples_have_no_deadline() -> None:
    assert settings().deadline is None
    assert HealthCheck.too_slow in settings().suppress_health_check

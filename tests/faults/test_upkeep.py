"""A few of the kills of the registry's upkeep; ``make faults ARGS="--only upkeep"`` does all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.points import traces
from tests.faults.upkeep import STORIES, Scene, run_story

pytestmark = [pytest.mark.slow, pytest.mark.needs("strace")]

A_FEW = 6


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    if not traces():
        pytest.skip("strace may not trace here")
    return Scene(tmp_path_factory.mktemp("scene"))


@pytest.mark.parametrize("story", STORIES)
def test_a_kill_loses_nothing_and_touches_nothing_foreign(
    story: str, scene: Scene, tmp_path: Path
) -> None:
    tally = run_story(story, tmp_path / "story", A_FEW, scene)
    assert tally.violations == []
    assert tally.total == A_FEW

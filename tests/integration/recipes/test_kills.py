"""The digits recipe killed at twenty random moments, each in a workspace of its own."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import Studio
from tests.rigs import killing

KILLS = 20
SEED = 2026


def test_twenty_kills_and_the_same_digests(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("kills")
    recipe = killing.digits_recipe(folder / "digits")
    wanted, seconds = killing.digests(Studio(folder / "undisturbed"), recipe)
    kills, journals = killing.Kills(), []
    for number, moment in enumerate(killing.moments(SEED, KILLS, seconds)):
        studio = Studio(folder / f"killed-{number}")
        try:
            killing.kill_once(studio, recipe, moment, kills)
            journals.append(killing.finish(studio, recipe))
        finally:
            studio.run("undeploy", "--target", "local", "--purge")
    print(f"killed during: {', '.join(kills.during)}")
    assert len(kills.during) >= KILLS - 3, "too many ended before they were killed"
    assert len(set(kills.during)) >= 5, "the moments fell on too few steps"
    assert [journal["artefacts"] for journal in journals] == [wanted] * KILLS

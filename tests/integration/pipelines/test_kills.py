"""The digits pipeline killed at twenty random moments, each in a workspace of its own."""

from __future__ import annotations

import random
import time

import pytest

from tests.e2e.conftest import Studio
from tests.rigs import killing

KILLS = 20
SEED = 2026


def test_twenty_kills_and_the_same_digests(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("kills")
    pipeline = killing.digits_pipeline(folder / "digits")
    wanted, seconds = killing.digests(Studio(folder / "undisturbed"), pipeline)
    kills, journals = killing.Kills(), []
    fractions = random.Random(SEED)
    for number in range(2 * KILLS):
        if len(kills.during) == KILLS:
            break
        studio = Studio(folder / f"killed-{number}")
        try:
            begin = time.monotonic()
            moment = max(0.3, fractions.random() * seconds)
            killing.kill_once(studio, pipeline, moment, kills)
            if time.monotonic() - begin < moment:
                seconds = time.monotonic() - begin  # this machine is less busy than it was
            journals.append(killing.finish(studio, pipeline))
        finally:
            studio.run("undeploy", "--target", "local", "--purge")
    print(f"killed during: {', '.join(kills.during)}")
    assert len(kills.during) == KILLS, "too many ended before they were killed"
    assert len(set(kills.during)) >= 5, "the moments fell on too few steps"
    assert [journal["artefacts"] for journal in journals] == [wanted] * len(journals)

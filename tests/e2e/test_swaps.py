"""A thousand hot swaps under load: nothing fails, and nobody is answered by the wrong version."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.bench_swaps import Folder, Root, measure
from tests.benchmarks.serve.swaps import Asker, Stage, State
from tests.unit.runtime.serve import rig

pytestmark = pytest.mark.slow
CLIENTS = 4


@pytest.mark.parametrize(("way", "swaps"), [(Root, 300), (Folder, 100)])
def test_swaps_fail_no_request(tmp_path: Path, way: type[Root | Folder], swaps: int) -> None:
    found = measure(way(tmp_path), tmp_path, swaps, CLIENTS)
    assert (found["failed"], found["wrong"]) == (0, 0), found["examples"]
    assert found["swaps"] == swaps
    assert found["requests"] > swaps * CLIENTS
    # Where nothing changed while a request was under way, only one version may answer.
    assert found["while_nothing_changed"] > swaps
    assert found["of_named_versions"] > swaps / 2
    assert found["not_there"] > 0


def test_a_version_that_should_not_answer_is_noticed(tmp_path: Path) -> None:
    way = Root(tmp_path)
    with rig.ServerProcess(*way.arguments, log=tmp_path / "log") as server:
        # The clients believe that version 2 was acknowledged; version 1 is what answers.
        asker = Asker(server, Stage(State("2", frozenset("2")), way.digests), 0)
        rig.wait_until(lambda: bool(asker.wrong and asker.failed), "both are noticed")
        asker.end()
    assert "version 1 says 1.0; asked for ''" in asker.wrong[0]
    assert asker.failed[0].startswith("404")


def test_an_answer_that_belies_its_version_is_noticed(tmp_path: Path) -> None:
    way = Root(tmp_path)
    with rig.ServerProcess(*way.arguments, log=tmp_path / "log") as server:
        swapped = {"1": way.digests["2"], "2": way.digests["1"]}
        asker = Asker(server, Stage(way.state(1), swapped), 0)
        rig.wait_until(lambda: bool(asker.wrong), "the digest of another release is noticed")
        asker.end()

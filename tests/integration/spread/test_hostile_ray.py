"""A node of a Ray cluster whose answer is a pickle that runs code on the studio's computer."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from studio.jobs.sandbox import confine
from tests.integration.spread.conftest import Spread
from tests.rigs.spread.hostile_actor import MARK, SECRET

LIMIT_S = 900.0


@pytest.mark.parametrize("bubblewrap", [True, False], ids=["bubblewrap", "landlock"])
def test_a_pickle_of_a_node_reaches_no_file_of_the_home(
    on_hostile_ray: Spread, tmp_path: Path, bubblewrap: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    spread = on_hostile_ray
    if not bubblewrap:
        if confine.landlock_abi() < 3:
            pytest.skip("this kernel has no Landlock")
        path = _without_bubblewrap(tmp_path / "bin")
        monkeypatch.setitem(spread.studio.environment, "PATH", path)
    words = ("run", spread.quick, "--on", spread.address)
    ended = spread.studio.run(*words, timeout=LIMIT_S, under=spread.under)
    printed = ended.out + ended.err
    home = spread.studio.home
    assert (home / SECRET).is_file()
    assert not (home / MARK).exists(), printed
    assert ended.code != 0
    assert "pickle ran, read " in printed, printed
    assert "read done" not in printed, printed


def test_without_a_sandbox_no_answer_is_read(on_hostile_ray: Spread) -> None:
    spread = on_hostile_ray
    settings = Path(spread.studio.environment["EDGEWRIGHT_HOME"], "config", "settings.json")
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text('{"sandbox": false}')
    words = ("run", spread.quick, "--on", spread.address)
    ended = spread.studio.run(*words, timeout=LIMIT_S, under=spread.under)
    assert "this machine has no sandbox for it" in ended.out + ended.err
    assert not (spread.studio.home / MARK).exists()


def _without_bubblewrap(folder: Path) -> str:
    folder.mkdir()
    for place in filter(os.path.isdir, os.environ["PATH"].split(os.pathsep)):
        for entry in os.scandir(place):
            link = folder / entry.name
            if entry.name != "bwrap" and not os.path.lexists(link):
                link.symlink_to(entry.path)
    return str(folder)

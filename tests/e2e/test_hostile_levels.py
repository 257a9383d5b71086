"""Hostile files by ``convert`` and ``serve`` at each level: bubblewrap, Landlock, neither."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.jobs.sandbox import confine
from tests.e2e.conftest import Studio
from tests.e2e.hostile_files.kinds import Make, Payload
from tests.e2e.hostile_files.runs import run
from tests.e2e.hostile_files.served import BUNDLES, CONVERT, SECRET, SERVE, SOURCES, bundle
from tests.e2e.test_without_bubblewrap import hide_bubblewrap

pytestmark = pytest.mark.slow

MOST_MB = 700
SECONDS = 60
LEVELS = {"bubblewrap": "full", "landlock": "partly", "neither": "limits only"}
SURFACES = {"convert": (CONVERT, SOURCES), "serve": (SERVE, SOURCES), "bundle": (SERVE, BUNDLES)}
CASES = [
    pytest.param(surface, name, id=f"{surface}-{name}")
    for surface, (_, names) in SURFACES.items()
    for name in names
]


@pytest.fixture(scope="module", params=LEVELS)
def studio_at(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """A home with a secret, whose workers have one level of isolation."""
    level = str(request.param)
    if level == "landlock" and confine.landlock_abi() < confine.OLDEST_ABI:
        pytest.skip("the kernel has no Landlock")
    studio = Studio(tmp_path_factory.mktemp(level))
    (studio.user / "secret").write_text(SECRET)
    if level == "landlock":
        hide_bubblewrap(studio, tmp_path_factory.mktemp("programs"))
    if level == "neither":
        settings = studio.home / "edgewright" / "config" / "settings.json"
        settings.parent.mkdir(parents=True)
        settings.write_text('{"sandbox": false}')
    said = {check["name"]: check["text"] for check in studio.ok("doctor")["checks"]}
    if level == "bubblewrap" and not said["sandbox"].startswith("full"):
        pytest.skip("bubblewrap does not work here")
    assert said["sandbox"].startswith(LEVELS[level])
    return studio


@pytest.fixture(scope="module")
def good(digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle as it should be."""
    home = tmp_path_factory.mktemp("packager")
    out = home / "bundle"
    Studio(home / "studio").ok("package", digits / "digits.onnx", "--out", out)
    return out


@pytest.mark.parametrize(("surface", "name"), CASES)
def test_nothing_runs_leaks_or_breaks(
    studio_at: Studio, good: Path, tmp_path: Path, surface: str, name: str
) -> None:
    make: Make = bundle(good, BUNDLES[name]) if surface == "bundle" else SOURCES[name]
    (tmp_path / "a").mkdir()
    path = make(tmp_path / "a", Payload(tmp_path / "canary"))
    words = [word.format(file=path) for word in SURFACES[surface][0]]
    ended = run(words, studio_at, SECONDS, watched=tmp_path)
    assert ended.code in (1, 2, 3, 4), ended.err
    # What the runtime itself cannot load is its own sentence, without the name of the command.
    # Behind Landlock, ONNX Runtime warns before it that it sees no graphics cards.
    is_of_runtime = ended.err.splitlines()[-1].startswith("onnxruntime ")
    assert [one for one in ended.faults if not (is_of_runtime and one.startswith("lines"))] == []
    assert ended.out == ""
    assert SECRET not in ended.err
    assert "root:" not in ended.err, "a line of /etc/passwd"
    assert ended.megabytes < MOST_MB
    assert not (tmp_path / "canary").exists()
    assert not (studio_at.user / "canary").exists()

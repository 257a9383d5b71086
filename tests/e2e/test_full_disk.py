"""A deploy onto a disk that is full: one sentence, what is served stays, and it can be repeated."""

from __future__ import annotations

import os
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Studio
from tests.rigs.disks import fill, small_disk

pytestmark = [
    pytest.mark.slow,
    pytest.mark.needs("mount", "umount"),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a disk"),
]

MEGABYTES = 96


@pytest.fixture(params=["releases", pytest.param("everything", marks=pytest.mark.long)])
def full(
    request: pytest.FixtureRequest, tmp_path: Path, digits: Path
) -> Iterator[tuple[Studio, Path]]:
    """A studio that serves digits, and the disk of its releases alone, or of all its data."""
    studio = Studio(tmp_path / "home")
    home = studio.home / "edgewright"
    place = home / "data" / "releases" if request.param == "releases" else home
    place.parent.mkdir(parents=True, exist_ok=True)
    with small_disk(place, MEGABYTES):
        studio.ok("deploy", digits / "digits.onnx")
        yield studio, place
        (place / "filler").unlink(missing_ok=True)
        studio.run("undeploy", "--purge")


def test_a_deploy_onto_a_full_disk_loses_nothing(
    full: tuple[Studio, Path], digits: Path, tmp_path: Path
) -> None:
    studio, place = full
    small = tmp_path / "small.onnx"
    made = studio.ok("quantize", digits / "digits.onnx", "--data", digits / "calibration.npz")
    small.write_bytes(Path(made["output"]).read_bytes())
    before = studio.ok("releases")
    endpoint = studio.ok("monitor")["endpoint"]
    filler = fill(place, 0)

    refused = studio.run("deploy", small)
    assert refused.code == 1
    (sentence,) = [line for line in refused.err.splitlines() if line.startswith("studio: ")]
    assert re.search("disk space|is full|No space left on device", sentence), refused.err
    assert "Traceback" not in refused.err
    # Commands store what they did; whoever asks the endpoint needs no room on the disk.
    with urllib.request.urlopen(f"{endpoint}/v2/health/ready", timeout=10) as answer:
        assert answer.status == 200

    filler.unlink()
    assert studio.ok("releases") == before
    done = studio.ok("deploy", small)
    assert (done["state"], done["precision"]) == ("serving", "int8")
    assert studio.ok("rollback")["release"] == before[0]["release"]
    assert studio.run("registry", "check").code == 0

"""Commands that start in a fork: they are what a start from the beginning is."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import STUDIO, Studio
from tests.rigs import warm_start
from tests.rigs.warm_start import WarmStudio

pytestmark = pytest.mark.slow

LINES = {
    "result": "presets list --json",
    "failure": "inspect nowhere.onnx",
    "usage": "nonsense",
    "state": "target list --json",
    "relative place": "samples get digits --out digits",
}


@pytest.fixture(scope="module")
def server() -> Iterator[WarmStudio]:
    made = WarmStudio(STUDIO)
    yield made
    made.close()


def cold(studio: Studio, words: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(STUDIO), *words],
        env=studio.environment,
        cwd=studio.home,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize("name", LINES)
def test_both_ways_end_alike(server: WarmStudio, tmp_path: Path, name: str) -> None:
    words = LINES[name].split()
    one, other = Studio(tmp_path / "one"), Studio(tmp_path / "two")
    begun = cold(one, words)
    forked = server.run(words, other.home, other.environment, 300)
    assert forked.returncode == begun.returncode
    assert forked.stdout.replace(str(other.home), str(one.home)) == begun.stdout
    assert forked.stderr == begun.stderr
    files = [{path.relative_to(s.home) for path in s.home.rglob("*.onnx")} for s in (one, other)]
    assert files[0] == files[1]


def test_a_command_that_takes_too_long_is_ended(
    server: WarmStudio, studio: Studio, digits: Path
) -> None:
    words = ["serve", str(digits / "digits.onnx"), "--port", "0"]
    with pytest.raises(subprocess.TimeoutExpired):
        server.run(words, studio.home, studio.environment, 1.0)
    assert server.run(["--version"], studio.home, studio.environment, 300).returncode == 0


def test_the_first_of_a_file_and_one_with_early_variables_start_from_the_beginning(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_warm(**more: str) -> bool:
        environment = {**studio.environment, **more}
        return warm_start.run(STUDIO, ["--version"], studio.home, environment, 300) is not None

    monkeypatch.setenv("PYTEST_CURRENT_TEST", "tests/another_file.py::test_a")
    assert not is_warm()
    assert is_warm()
    assert not is_warm(PYTHONSAFEPATH="1")

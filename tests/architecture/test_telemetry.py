"""The watch over a whole run: nobody is called, and nothing is written into the home."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Need

ROOT = Path(__file__).parents[2]
DIGITS = ROOT / "resources" / "samples" / "digits"

RECIPE = f"""
[recipe]
name = "watched"

[[steps]]
id = "open"
step = "open"
model = "{DIGITS}/digits.onnx"

[[steps]]
id = "int8"
step = "quantize"
model = "${{open.variant}}"
data = "{DIGITS}/calibration.npz"
samples = 16

[[steps]]
id = "profile"
step = "profile"
model = ["${{open.variant}}", "${{int8.variant}}"]
seconds = 0.5
rounds = 3

[[steps]]
id = "deploy"
step = "deploy"
model = "${{int8.variant}}"
target = "local"

[[steps]]
id = "call"
step = "call"
target = "local"
requests = 5
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a user whose home is empty, without the variable that silences."""
    folder = tmp_path / "home"
    folder.mkdir()
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG", "OPENBLAS_CORETYPE")}
    yield {**kept, "HOME": str(folder)}
    subprocess.run(
        [*studio(), "undeploy", "--target", "local"],
        env={**kept, "HOME": str(folder)}, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    for path, _, _ in os.walk(tmp_path):
        os.chmod(path, 0o700)


def studio() -> list[str]:
    return [str(Path(sys.executable).with_name("studio"))]


@pytest.mark.slow
@pytest.mark.needs("strace")
def test_a_whole_run_calls_nobody(tmp_path: Path, home: dict[str, str], need: Need) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(RECIPE)
    trace = tmp_path / "trace"
    watched = [need("strace"), "-f", "-qq", "-e", "trace=connect,sendto,sendmsg", "-o", str(trace)]
    done = subprocess.run(
        [*watched, *studio(), "run", str(recipe), "--json"],
        env=home, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:] + done.stdout[-2000:]
    assert [step["state"] for step in json.loads(done.stdout)["steps"]] == ["succeeded"] * 5
    calls = trace.read_text(errors="replace")
    # The served model was called on the loopback, so the watch is not blind.
    assert 'inet_addr("127.0.0.1")' in calls
    assert foreign(calls) == set()
    written = {path.name for path in Path(home["HOME"]).glob(".*/*")}
    assert written <= {"share", "state", "edgewright"}, "the studio's own folders alone"


def foreign(calls: str) -> set[str]:
    """Addresses beyond this machine in a trace."""
    found = set(re.findall(r'inet_addr\("([\d.]+)"\)', calls))
    found |= set(re.findall(r'inet_pton\(AF_INET6, "([^"]+)"', calls))
    return {
        text for text in found if not text.startswith("127.") and text not in ("::1", "0.0.0.0")
    }


def test_the_watch_sees_a_call() -> None:
    line = 'connect(3, {sa_family=AF_INET, sin_port=htons(443), sin_addr=inet_addr("%s")}, 16) = 0'
    assert foreign(line % "192.0.2.1") == {"192.0.2.1"}
    assert foreign(line % "127.0.0.1") == set()

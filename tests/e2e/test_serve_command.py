"""``studio serve``: the same look at the model as everywhere, the same walls, plain output."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from studio.jobs import SandboxLevel, containment
from tests.e2e.conftest import STUDIO, Studio
from tests.e2e.screen import wait_for
from tests.e2e.test_bad_input import model

pytestmark = pytest.mark.slow

_END_S = 120.0


class Serving:
    """The command while it serves.

    Attributes:
        first: The first line that it prints.
        log: What it writes to standard error.
    """

    def __init__(self, studio: Studio, *words: str | Path, **variables: str) -> None:
        self.log = studio.home / "serve.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [str(STUDIO), "serve", *map(str, words), "--port", "0"],
                env={**studio.environment, **variables},
                cwd=studio.home,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.log.read_text()
        self.first: dict[str, Any] = json.loads(line)

    def is_live(self) -> bool:
        with urllib.request.urlopen(f"{self.first['endpoint']}/v2/health/live") as answer:
            return bool(answer.status == 200)

    def runtime(self) -> int:
        """The process that answers: the last of those that descend from the command."""
        below = [self.process.pid]
        for pid in below:
            below += children(pid)
        return below[-1]


@contextmanager
def serving(studio: Studio, *words: str | Path, **variables: str) -> Iterator[Serving]:
    started = Serving(studio, *words, **variables)
    try:
        yield started
    finally:
        started.process.kill()
        started.process.wait()
        assert started.process.stdout is not None
        started.process.stdout.close()


def children(pid: int) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(entry.parent.name))
    return found


def status_of(pid: int) -> dict[str, str]:
    lines = Path("/proc", str(pid), "status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def test_a_linked_external_tensor_is_refused_as_by_inspect(studio: Studio, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    secret = tmp_path / "secret"
    secret.write_bytes(b"\0" * 1024)
    os.link(secret, folder / "weights.bin")
    path = model(folder, "weights.bin")
    inspected, served = studio.run("inspect", path), studio.run("serve", path, "--port", "0")
    assert inspected.code == served.code == 4
    assert served.err == inspected.err
    assert "hard links" in served.err


def test_a_bundle_whose_file_was_altered_is_refused(
    studio: Studio, digits: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "bundle"
    studio.ok("package", digits / "digits.onnx", "--out", folder)
    (path,) = folder.glob("*.onnx")
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    ended = studio.run("serve", folder, "--port", "0")
    assert ended.code == 1
    assert path.name in ended.err


@pytest.mark.parametrize("kind", ["file", "bundle", "variant"])
def test_it_serves_behind_walls_and_finishes_when_it_is_told_to_end(
    kind: str, studio: Studio, digits: Path, tmp_path: Path
) -> None:
    what: str | Path = digits / "digits.onnx"
    if kind != "file":
        studio.ok("package", what, "--out", tmp_path / "bundle")
        what = tmp_path / "bundle" if kind == "bundle" else "digits:fp32"
    with serving(studio, what) as server:
        assert server.is_live()
        assert server.first["pid"] == server.process.pid
        if walled():
            found = status_of(server.runtime())
            assert found["NoNewPrivs"] == "1"
            assert found["Seccomp"] == "2", "no filter of system calls"
            assert int(found["CapEff"], 16) == 0
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(_END_S) == 0
        assert '"event": "stopped", "finished": true' in server.log.read_text()
    assert not list((studio.home / "edgewright" / "data" / "jobs").iterdir())


def test_without_bubblewrap_it_serves_behind_what_the_kernel_has(
    studio: Studio, digits: Path, tmp_path: Path
) -> None:
    programs = tmp_path / "programs"  # none of them is bwrap
    programs.mkdir()
    (programs / "true").symlink_to("/bin/true")  # on which walls are tried
    with serving(studio, digits / "digits.onnx", PATH=str(programs)) as server:
        assert server.is_live()
        found = status_of(server.runtime())
        assert found["NoNewPrivs"] == "1"
        assert int(found["CapEff"], 16) == 0
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(_END_S) == 0


def test_the_server_ends_with_a_command_that_is_killed(studio: Studio, digits: Path) -> None:
    with serving(studio, digits / "digits.onnx") as server:
        runtime = server.runtime()
        assert runtime != server.process.pid
        server.process.kill()
        wait_for(lambda: not is_running(runtime), "the server outlives its command")


def is_running(pid: int) -> bool:
    try:
        return not status_of(pid)["State"].startswith("Z")
    except OSError:
        return False


def walled() -> bool:
    """Whether there are walls on this machine; in CI there must be."""
    found = containment().level is not SandboxLevel.LIMITS
    assert found or not os.environ.get("CI"), "bubblewrap is missing or cannot be used"
    return found

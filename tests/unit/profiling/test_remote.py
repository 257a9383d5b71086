"""The bench shipped through a channel whose other end is a folder of this computer."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from studio.api import Completed, Progress, TargetError, Tunnel
from studio.profiling import build as results
from studio.profiling import remote
from studio.profiling.backends import BackendChoice
from studio.profiling.plan import candidates, configuration
from studio.registry import ModelRef
from studio.runtime.backends.catalog import LITERT, OPENVINO
from studio.targets import remote as elsewhere

RUNNER = Path(__file__).parents[3] / "plugins" / "studio_onnxruntime" / "runner.py"


class Backend:
    id = "onnxruntime"
    title = "ONNX Runtime"
    options = ()
    runner = RUNNER


class FolderChannel:
    """A channel to "another machine": commands run here, with a PATH of their own."""

    def __init__(self, path: str) -> None:
        self._environment = {"PATH": path, "HOME": os.environ["HOME"]}
        self.sent: list[str] = []
        self.cut_after = 0

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        timeout: float = 60.0,
        on_line: Callable[[str], None] | None = None,
    ) -> Completed:
        done = subprocess.run(
            argv,
            input=stdin,
            capture_output=True,
            timeout=timeout,
            env=self._environment,
            cwd="/",
            check=False,
        )
        for number, line in enumerate(done.stdout.decode().splitlines()):
            if self.cut_after and number == self.cut_after and on_line is not None:
                raise TargetError("The connection was lost.")
            if on_line is not None:
                on_line(line)
        return Completed(done.returncode, done.stdout, done.stderr)

    def put(self, source: Path, target: str, progress: Progress | None = None) -> None:
        self.sent.append(target)
        shutil.copy(source, target)

    def get(self, source: str, target: Path) -> None:
        raise NotImplementedError

    def forward(self, port: int) -> Tunnel:
        raise NotImplementedError

    def close(self) -> None:
        pass


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder with the few programs of a board, python3 not among them."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "ls", "mkdir", "rm", "printf"):
        (folder / name).symlink_to(str(shutil.which(name)))
    return folder


def add_python(tools: Path) -> None:
    """The board's python3: this interpreter, which has numpy and onnxruntime."""
    script = tools / "python3"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    script.chmod(0o755)


def config_of(cnn: Path, arguments: Callable[..., dict[str, Any]], **given: Any) -> Any:
    model = ModelRef(str(cnn), "d", 1, 1, "cnn", "fp32", "onnx", "fp32")
    chosen = candidates([model], [BackendChoice("onnxruntime", Backend(), {})])
    return chosen, configuration(chosen, arguments(rounds=3, **given))


@pytest.mark.slow
def test_the_bench_runs_elsewhere_and_leaves_nothing(cnn, tools, arguments, job, tmp_path):
    add_python(tools)
    root = tmp_path / "root"
    channel = FolderChannel(str(tools))
    chosen, config = config_of(cnn, arguments)
    extra = cnn.with_name("weights.bin")
    extra.write_bytes(b"1")
    shipment = remote.Shipment(job.folder, lambda path: [path, extra], job)
    recording = remote.run_on(channel, str(root), config, shipment, lambda event: None)
    result = results.build(recording, chosen)
    assert result.complete
    assert result.runs[0].state == "measured"
    assert [Path(path).name for path in channel.sent] == [
        "edgewright.pyz",
        "runner.py",
        "cnn.onnx",
        "weights.bin",
    ]
    assert list(root.iterdir()) == []


@pytest.mark.slow
def test_the_link_cut_in_the_middle_keeps_the_rounds(cnn, tools, arguments, job, tmp_path):
    add_python(tools)
    channel = FolderChannel(str(tools))
    channel.cut_after = 6  # started, load, ready, warm-up, two rounds
    chosen, config = config_of(cnn, arguments)
    shipment = remote.Shipment(job.folder, lambda path: [path], job)
    recording = remote.run_on(channel, str(tmp_path), config, shipment, lambda event: None)
    result = results.build(recording, chosen)
    assert result.interruption == "The connection was lost."
    assert 1 <= result.rounds <= 2


def test_a_board_without_python(tools):
    with pytest.raises(TargetError, match=r"The target has no python3\."):
        elsewhere.find_python(FolderChannel(str(tools)), "/nowhere")


def test_a_board_whose_python_lacks_the_runtime(tools):
    script = tools / "python3"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S "$@"\n')
    script.chmod(0o755)
    with pytest.raises(TargetError, match="lacks numpy and onnxruntime") as caught:
        elsewhere.find_python(FolderChannel(str(tools)), "/nowhere")
    assert "Deploy a model that ONNX Runtime serves to the target once" in caught.value.hint
    assert "install onnxruntime with pip there" in caught.value.hint


def test_a_board_whose_python_lacks_another_backend(tools):
    script = tools / "python3"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    script.chmod(0o755)
    channel = FolderChannel(str(tools))
    assert elsewhere.find_python(channel, "/nowhere") == str(script)
    assert elsewhere.find_python(channel, "/nowhere", LITERT) == str(script)
    with pytest.raises(TargetError, match="its python3 lacks openvino") as caught:
        elsewhere.find_python(channel, "/nowhere", OPENVINO)
    assert "Deploy a model that OpenVINO serves" in caught.value.hint


def test_the_environment_of_a_release_is_preferred(tools, tmp_path):
    script = tools / "python3"
    script.write_text("#!/bin/sh\nexit 1\n")
    script.chmod(0o755)
    release = tmp_path / "env" / "abc" / "bin"
    release.mkdir(parents=True)
    add_python(release)
    found = elsewhere.find_python(FolderChannel(str(tools)), str(tmp_path))
    assert found == str(release / "python3")


def test_a_target_that_refuses_says_why(tools):
    channel = FolderChannel(str(tools))
    with pytest.raises(TargetError, match=r"The target refused: .*proc"):
        elsewhere.check_output(channel, ["mkdir", "-p", "/proc/nowhere/bench"])

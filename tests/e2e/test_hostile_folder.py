"""Every command, started in the folder of a stranger's model, runs nothing of that folder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import IO

import pytest

from studio.cli.main import commands, commands_of
from studio.feature_host import features
from studio.registry import Registry
from tests.e2e.conftest import STUDIO, Ended, Studio, interruptible
from tests.e2e.screen import wait_for
from tests.rigs import killing
from tests.rigs.hostile import HostileFolder

pytestmark = pytest.mark.slow

_TIMEOUT_S = 600.0
_OK = (0,)
_DATA = ("--data", "calibration.npz")

Line = tuple[str, Sequence[int]]

LINES: dict[str, list[Line]] = {
    "inspect": [("inspect digits.onnx", _OK)],
    "graph": [("graph digits.onnx --out graph.svg", _OK)],
    "diff": [("diff digits.onnx digits.onnx", _OK)],
    "analyze": [("analyze digits.onnx sparsity", _OK)],
    "coverage": [("coverage digits.onnx", _OK)],
    "convert": [("convert digits.onnx", (2,))],
    "check": [("check digits.onnx --for tflite-micro", (1,))],
    "chips": [("chips list", _OK)],
    "export": [("export digits.onnx --to openvino", (1,))],
    "edit": [("edit digits.onnx --edit fold --out edited.onnx", _OK)],
    "quantize": [("quantize digits.onnx --data calibration.npz --out small.onnx", _OK)],
    "sensitivity": [("sensitivity digits.onnx --data calibration.npz", _OK)],
    "project": [
        ("project show digits.onnx", _OK),
        ("project set digits --metric f1", _OK),
        ("project draft digits", (2,)),
        ("project outputs digits --dry-run", _OK),
    ],
    "presets": [("presets list", _OK)],
    "evaluate": [("evaluate digits.onnx --data heldout.npz", _OK)],
    "profile": [("profile digits.onnx --seconds 1", _OK), ("profiles list", _OK)],
    "study": [("study digits.onnx --target @site=lab", (2,))],
    "profiles": [("profiles list", _OK)],
    "package": [
        ("package digits.onnx --out bundle", _OK),
        ("sign bundle --key labels.txt", (1,)),
        ("trust --target local --signers labels.txt", (1, 2)),
    ],
    "sign": [("package digits.onnx --out b", _OK), ("sign b --key labels.txt", (1,))],
    "trust": [("trust --target local", _OK)],
    "target": [
        ("target list", _OK),
        ("target probe local", _OK),
        ("target pull --target local", _OK),
    ],
    "deploy": [
        ("deploy digits.onnx --target local", _OK),
        ("call --target local --data calibration.npz", _OK),
        ("monitor --target local", _OK),
        ("releases --target local", _OK),
        ("logs --target local", _OK),
        ("verify-log --target local", _OK),
        ("decisions list local", _OK),
        ("decisions where local", _OK),
        ("rollback --target local", (1,)),
        ("stop --target local", _OK),
        ("start --target local", _OK),
        ("restart --target local", _OK),
        ("undeploy --target local", _OK),
    ],
    "start": [("start --target local", (0, 1))],
    "stop": [("stop --target local", (0, 1))],
    "restart": [("restart --target local", (0, 1))],
    "rollout": [("rollout digits.onnx --target local", (0,))],
    "registry": [("registry names", _OK), ("registry check", _OK), ("registry backup", _OK)],
    "releases": [("releases --target local", (0, 1))],
    "verify-log": [("verify-log --target local", (0, 1))],
    "decisions": [
        ("decisions list local", (0, 1)),
        ("decisions verify local", (0, 1)),
        ("decisions export local --out decisions.jsonl", (0, 1)),
        ("decisions forget local labels.txt", (0, 1)),
        ("decisions override local 1 --decision a --reason b --by c", (0, 1)),
        ("decisions where local", (0, 1)),
    ],
    "rollback": [("rollback --target local", (0, 1))],
    "promote": [("promote --target local", (0, 1))],
    "undeploy": [("undeploy --target local", (0, 1))],
    "call": [("call --target local --data calibration.npz", (1,))],
    "logs": [("logs --target local", (0, 1))],
    "stream": [("stream calibration.npz --target local", (1,))],
    "monitor": [("monitor --target local", (0, 1))],
    "fleet": [
        ("fleet status --source mqtt://127.0.0.1:1", (1,)),
        ("fleet watch --source mqtt://127.0.0.1:1 --seconds 1", (1,)),
        ("fleet join --target local --source mqtt://127.0.0.1:1", _OK),
        ("fleet leave --target local", _OK),
        ("fleet forget --source mqtt://127.0.0.1:1 --board cam-1", (1,)),
    ],
    "run": [("run pipeline.toml", _OK)],
    "plan": [
        ("plan make undeploy target=local", _OK),
        ("plan list", _OK),
        ("plan approve 00000000", (2,)),
    ],
    "events": [("events list", _OK), ("events send", _OK)],
    "openapi": [("openapi", _OK)],
    "versions": [("versions list", _OK)],
    "samples": [("samples list", _OK), ("samples get digits", _OK)],
    "plugins": [("plugins list", _OK), ("plugins new made --kind metric", _OK)],
    "backends": [("backends list", _OK)],
    "doctor": [("doctor", (0, 1)), ("doctor --bundle support.zip", _OK)],
    "desktop": [("desktop install", _OK), ("desktop remove", _OK)],
    "completion": [("completion bash", _OK)],
    "man": [("man", _OK)],
}
"""Each command with lines of it, and the exit codes with which a line may end."""

for _name in features():
    if commands_of(_name):
        LINES.update(import_module(f"tests.features.{_name}.command_lines").LINES)

_LIVING = ("open", "serve")
"""They go on until they are told to end."""


@pytest.fixture
def folder(tmp_path: Path) -> HostileFolder:
    made = HostileFolder(tmp_path / "stranger")
    sample = killing.digits_pipeline(tmp_path / "sample").parent
    made.add(*(path for path in sample.iterdir() if path.suffix != ".py"))
    return made


@pytest.fixture
def command(studio: Studio, folder: HostileFolder) -> Iterator[Studio]:
    studio.environment = folder.environment(studio.environment)
    yield studio
    if studio.has_deployed:
        studio.run("undeploy", "--target", "local", "--purge")


def run(command: Studio, folder: HostileFolder, line: str) -> Ended:
    done = subprocess.run(
        [str(STUDIO), *line.split()],
        env=command.environment,
        cwd=folder.path,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=_TIMEOUT_S,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def test_every_command_is_tried() -> None:
    assert set(LINES) | set(_LIVING) == set(commands())


def test_the_bait_is_taken_by_a_python_and_a_shell_that_take_no_care(
    folder: HostileFolder,
) -> None:
    where = {"cwd": folder.path, "check": False}
    subprocess.run([sys.executable, "-c", "import numpy"], **where)
    assert "module numpy" in folder.ran
    environment = folder.environment(dict(os.environ))
    subprocess.run(["/bin/sh", "-c", "ssh-keygen; git"], **where, env=environment)
    assert folder.ran == ["program ssh-keygen", "program git"]


@pytest.mark.parametrize("name", LINES)
def test_nothing_of_the_folder_runs(name: str, command: Studio, folder: HostileFolder) -> None:
    for line, codes in LINES[name]:
        ended = run(command, folder, line)
        assert folder.ran == [], line
        assert ended.code in codes, (line, ended.out, ended.err)


def test_nothing_of_the_folder_runs_where_a_model_is_served(
    command: Studio, folder: HostileFolder
) -> None:
    words = [str(STUDIO), "serve", "digits.onnx", "--port", "0"]
    with living(command, folder, words, subprocess.PIPE) as process:
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        assert first["endpoint"].startswith("http://127.0.0.1:")
        process.send_signal(signal.SIGTERM)
        assert process.wait(_TIMEOUT_S) == 0
    assert folder.ran == []


def test_nothing_of_the_folder_runs_where_the_window_opens_a_model(
    command: Studio, folder: HostileFolder
) -> None:
    registry = Registry.open(command.home / "edgewright" / "data" / "registry")
    words = [str(STUDIO), "open", "digits.onnx"]
    with living(command, folder, words, subprocess.DEVNULL) as process:
        wait_for(lambda: registry.variants() or process.poll() is not None, "no model was opened")
        process.send_signal(signal.SIGINT)
        assert process.wait(_TIMEOUT_S) == -signal.SIGINT
    assert len(registry.variants()) == 1
    registry.close()
    assert folder.ran == []


def test_nothing_of_the_folder_runs_where_python_is_told_the_module(
    command: Studio, folder: HostileFolder
) -> None:
    folder.remove("importlib")  # which Python itself takes from there before our first line
    words = [sys.executable, "-m", "studio.runtime", "--version"]
    subprocess.run(words, cwd=folder.path, env=command.environment, check=True)
    assert folder.ran == []


def living(
    command: Studio, folder: HostileFolder, words: Sequence[str], out: int | IO[bytes]
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        words,
        env=command.environment,
        cwd=folder.path,
        stdin=subprocess.DEVNULL,
        stdout=out,
        preexec_fn=interruptible,
    )

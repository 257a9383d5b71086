"""The live watch against a real server: its messages, and calls that really work."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from studio.api import Cancelled, validate
from studio.api.progress import Silent
from studio.documents.dataclass_json import from_json
from studio.monitoring import live_work
from studio.monitoring.endpoint.telemetry import TelemetryLine
from studio.monitoring.live_step import LIVE, LiveOptions
from studio.monitoring.results import CallsMessage, LogMessage, ReleasesMessage, TargetSample
from tests.rigs.patience import patience
from tests.unit.monitoring.test_monitor import spec
from tests.unit.runtime.serve import rig

pytestmark = pytest.mark.slow


class Listener(Silent):
    """A job that keeps all messages, and is cancelled when enough have come."""

    def __init__(self, folder: Path, enough: Callable[[Listener], bool]) -> None:
        self.folder = folder
        self.messages: list[tuple[str, dict[str, Any]]] = []
        self._enough = enough
        self._late = threading.Event()
        timer = threading.Timer(patience(20.0), self._late.set)
        timer.daemon = True
        timer.start()

    def event(self, name: str, **values: Any) -> None:
        json.dumps(values)  # travels as JSON
        self.messages.append((name, values))

    def check(self) -> None:
        if self._late.is_set() or self._enough(self):
            raise Cancelled

    def of(self, name: str) -> list[dict[str, Any]]:
        return [values for one, values in self.messages if one == name]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    model = rig.constant(tmp_path / "model.onnx", 1.0)
    rig.switch(folder, rig.bundle(folder / "releases", model, 7))
    return folder


@pytest.fixture
def server(root: Path) -> Iterator[rig.ServerProcess]:
    log = root / "run" / "serve.log"
    log.parent.mkdir(exist_ok=True)
    with rig.ServerProcess(f"--root={root}", log=log) as running:
        yield running


def options(root: Path, **given: Any) -> LiveOptions:
    checked = validate(LIVE.form, {"interval": 0.1, **given})
    return LIVE.options_of({**checked, "target": asdict(spec(root))})


def watched(root: Path, folder: Path, enough: Callable[[Listener], bool], **given: Any) -> Listener:
    job = Listener(folder, enough)
    with contextlib.suppress(Cancelled):
        live_work.watch(options(root, **given), job)
    return job


def test_one_watch_brings_samples_calls_releases_history_and_log(
    server: rig.ServerProcess, root: Path, tmp_path: Path
) -> None:
    wanted = {"sample", "releases", "calls", "past", "log"}
    job = watched(root, tmp_path, lambda job: wanted <= {name for name, _ in job.messages})
    assert {name for name, _ in job.messages} == wanted
    assert from_json(TargetSample, job.of("sample")[0]).health == "healthy"
    from_json(ReleasesMessage, job.of("releases")[0])  # of a root that no studio has recorded
    assert len(job.of("releases")) == 1
    assert from_json(LogMessage, job.of("log")[0]) is not None
    assert len(job.of("calls")) == 1, "not with each poll"


def programs(root: Path, folder: Path) -> CallsMessage:
    job = watched(root, folder, lambda job: bool(job.of("calls")), lines=0)
    return from_json(CallsMessage, job.of("calls")[0])


@pytest.mark.parametrize(
    ("language", "suffix", "command"),
    [
        ("curl", ".sh", ["sh"]),
        ("python", ".py", [sys.executable]),
        ("javascript", ".mjs", ["node"]),
    ],
)
def test_each_program_gets_an_answer_of_the_served_model(
    server: rig.ServerProcess, root: Path, tmp_path: Path,
    language: str, suffix: str, command: list[str],
) -> None:  # fmt: skip
    needed = "curl" if language == "curl" else command[0]
    if shutil.which(needed) is None:
        pytest.skip(f"{needed} is not installed")
    calls = programs(root, tmp_path)
    assert calls.infer == f"{calls.endpoint}/v2/models/{calls.model}/infer"
    file = tmp_path / f"call{suffix}"
    file.write_text(calls.programs[language])
    done = subprocess.run(
        [*command, str(file)], capture_output=True, text=True, timeout=patience(30), check=False
    )
    assert done.returncode == 0, done.stderr
    assert "1" in done.stdout, "the model answers with ones"


def test_a_server_that_is_stopped_is_a_sample_and_its_releases_are_still_read(
    root: Path, tmp_path: Path
) -> None:
    job = watched(root, tmp_path, lambda job: len(job.of("sample")) > 2, lines=0)
    sample = from_json(TargetSample, job.of("sample")[0])
    assert sample.health == "unreachable"
    assert len(job.of("releases")) == 1
    assert job.of("calls") == []


def test_a_target_that_was_never_reached_is_a_sample_not_the_end(tmp_path: Path) -> None:
    target = {"name": "board", "url": "ssh://nobody@127.0.0.1:1", "host_key": "ssh-ed25519 AAAA"}
    job = Listener(tmp_path, lambda job: len(job.of("sample")) > 1)
    checked = validate(LIVE.form, {"interval": 0.1})
    with pytest.raises(Cancelled):
        live_work.watch(LIVE.options_of({**checked, "target": target}), job)
    assert {values["health"] for values in job.of("sample")} == {"unreachable"}


def test_recorded_minutes_become_points() -> None:
    lines = [
        TelemetryLine(n=2, at=120.0, model="d", version="1", requests=160, errors=3, p50=2.0),
        TelemetryLine(n=1, at=60.0, model="d", version="1", requests=100, errors=0, p50=1.0),
        TelemetryLine(n=3, model="d", version="1"),
    ]
    first, second = live_work.past_points(lines)
    assert (first.at, first.throughput, first.error_share) == (60.0, None, None)
    assert (second.p50, second.throughput, second.error_share) == (2.0, 1.0, 0.05)

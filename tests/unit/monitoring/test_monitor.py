"""The monitor step against a real server below the root of this computer's target."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from studio.api import Cancelled, TargetError, TargetSpec, validate
from studio.api.progress import Silent
from studio.documents.dataclass_json import from_json, to_json
from studio.monitoring.endpoint.results import Latency
from studio.monitoring.record import monitored
from studio.monitoring.results import TargetSample
from studio.monitoring.step import MONITOR, MonitorOptions
from studio.monitoring.texts import target as describe
from studio.monitoring.watch import TargetMonitor
from studio.monitoring.work import monitor
from studio.registry import Registry
from tests.unit.runtime.serve import rig

pytestmark = pytest.mark.slow
CONTRACT = {"health", "throughput", "latency_ms", "errors", "drift", "alerts"}


class Watched(Silent):
    """A job that keeps what it was told, and can be cancelled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.samples: list[dict[str, Any]] = []
        self.channels: list[dict[str, Any]] = []
        self.cancelled = threading.Event()

    def event(self, name: str, **values: Any) -> None:
        json.dumps(values)  # travels as JSON
        if name == "channel":
            self.channels.append(values)
            return
        assert name == "sample"
        self.samples.append(values)

    def check(self) -> None:
        if self.cancelled.is_set():
            raise Cancelled


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    model = rig.constant(tmp_path / "model.onnx", 1.0)
    rig.switch(folder, rig.bundle(folder / "releases", model, 7))
    return folder


@pytest.fixture
def server(root: Path, tmp_path: Path) -> Iterator[rig.ServerProcess]:
    with rig.ServerProcess(f"--root={root}", log=tmp_path / "log") as running:
        yield running


def spec(root: Path) -> TargetSpec:
    return TargetSpec("local", "local:", settings={"root": str(root)})


def arguments(root: Path, **given: Any) -> MonitorOptions:
    checked = validate(MONITOR.form, given)
    return MONITOR.options_of({**checked, "target": asdict(spec(root))})


def test_a_server_that_nobody_asks_has_no_latency(
    server: rig.ServerProcess, root: Path, tmp_path: Path
) -> None:
    found = monitor(arguments(root), Watched(tmp_path))
    assert found.latency_ms == Latency(count=0)
    assert found.threads == 1
    assert "latency     p50 -, p90 -, p99 -, 1 thread" in describe(found)


def test_a_channel_that_fails_is_told_at_once_and_in_the_result(
    server: rig.ServerProcess, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.monitoring.alerts.dispatch.WAIT_S", 0.01)
    alerts = tmp_path / "alerts.toml"
    alerts.write_text(
        '[[rules]]\nname = "quiet"\nmetric = "throughput"\nbelow = 1e9\n'
        '[[channels]]\nkind = "webhook"\nname = "hook"\nurl = "http://127.0.0.1:1/x"\n'
    )
    job = Watched(tmp_path)
    found = monitor(arguments(root, alerts=str(alerts)), job)
    (row,) = found.channels
    assert row.channel == "hook"
    assert row.text.startswith("The webhook at http://127.0.0.1:1 cannot be reached")
    assert job.channels[0]["text"].endswith("It is tried again.")
    assert job.channels[0]["failed"] is True
    assert f"not told    hook: {row.text}" in describe(found)


def test_one_look(server: rig.ServerProcess, root: Path, tmp_path: Path) -> None:
    for _ in range(30):
        assert server.call("POST", "/v2/models/answer/infer", rig.question())[0] == 200
    job = Watched(tmp_path)
    found = monitor(arguments(root), job)
    assert to_json(found).keys() >= CONTRACT
    assert found.health == "healthy"
    latency = found.latency_ms
    assert latency is not None
    assert latency.count == 30
    assert 0 < (latency.p50 or 0) <= (latency.p99 or 0)
    assert (found.model, found.version) == ("answer", 7)
    assert found.digest == rig.report(root)["digest"]
    assert (found.errors, found.alerts, found.drift) == (0, (), ())
    assert (found.memory_mb or 0) > 10
    assert job.samples == [to_json(found)]


def test_a_watch_sends_samples_until_its_time_is_up(
    server: rig.ServerProcess, root: Path, tmp_path: Path
) -> None:
    job = Watched(tmp_path)
    found = monitor(arguments(root, seconds=0.5, interval=0.1), job)
    assert 4 <= len(job.samples) <= 7
    assert job.samples[-1] == to_json(found)
    assert found.cpu_percent is not None


def test_a_watch_can_be_cancelled(server: rig.ServerProcess, root: Path, tmp_path: Path) -> None:
    job = Watched(tmp_path)
    job.cancelled.set()
    with pytest.raises(Cancelled):
        monitor(arguments(root, seconds=3600), job)


def test_a_watch_outlives_the_server(root: Path, tmp_path: Path) -> None:
    with TargetMonitor(spec(root), Silent()) as watch:
        with rig.ServerProcess(f"--root={root}", log=tmp_path / "log1"):
            assert watch.poll().health == "healthy"
        stopped = watch.poll()
        assert to_json(stopped).keys() >= CONTRACT
        assert stopped.health == "unreachable"
        assert stopped.alerts[0].text == "The server on this target was stopped."
        with rig.ServerProcess(f"--root={root}", log=tmp_path / "log2"):
            again = watch.poll()
            assert again.health == "healthy"  # at another port
            assert again.alerts[0].name == "restarted"


def test_a_killed_server_is_unreachable(
    server: rig.ServerProcess, root: Path, tmp_path: Path
) -> None:
    server.process.kill()
    server.process.wait()
    found = monitor(arguments(root), Watched(tmp_path))
    assert found.health == "unreachable"
    assert found.alerts[0].text == "The server on this target is not running."
    keys = "target at health state endpoint scheme throughput latency_ms errors drift alerts model"
    last = "version digest uptime_s memory_mb"
    assert list(to_json(found)) == [*keys.split(), *last.split()], "no more than is known"
    assert from_json(TargetSample, to_json(found)) == found


def test_a_target_without_a_release_is_unreachable(tmp_path: Path) -> None:
    found = monitor(arguments(tmp_path / "empty"), Watched(tmp_path))
    assert found.health == "unreachable"
    assert found.alerts[0].text == "This target has no release yet."


def test_a_target_that_cannot_be_reached_is_an_error(tmp_path: Path) -> None:
    target = TargetSpec("board", "ssh://nobody@127.0.0.1:1", host_key="ssh-ed25519 AAAA")
    with pytest.raises(TargetError), TargetMonitor(target, Silent()) as watch:
        watch.poll()


def test_a_release_that_did_not_load_is_an_alert(
    server: rig.ServerProcess, root: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"broken")
    rig.switch(root, rig.bundle(root / "releases", broken, 8))
    server.hang_up()
    rig.wait_until(lambda: rig.report(root)["state"] == "failed", "the failure is reported")
    found = monitor(arguments(root), Watched(tmp_path))
    assert (found.health, found.version) == ("healthy", 7)
    (alert,) = found.alerts
    assert alert.name == "release"
    assert "cannot load model.onnx" in alert.text


def test_the_last_look_is_kept(server: rig.ServerProcess, root: Path, tmp_path: Path) -> None:
    registry = Registry.open(tmp_path / "registry")
    given = arguments(root)
    result = monitor(given, Watched(tmp_path))
    assert monitored(registry, given, result, tmp_path) == result
    (run,) = registry.runs("monitor")
    registry.close()
    assert run.options["target"] == "local"
    assert run.result["digest"] == result.digest

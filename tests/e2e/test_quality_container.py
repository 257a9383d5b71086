"""Releases on trial at a real container engine: the worse is taken back, the good is kept."""

from __future__ import annotations

import contextlib
import http.client
import json
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.settings import Paths
from tests.e2e.conftest import STUDIO, Ended, Studio, interruptible
from tests.rigs import trials
from tests.rigs.boards import until
from tests.rigs.containers import free_port
from tests.rigs.engine import BASE, DockerEngine

pytestmark = pytest.mark.rig

BOX = ("--target", "box")
_PLACE = "trial-digits"


class Trials:
    """An engine that serves a good version, and is given others."""

    def __init__(self, studio: Studio, engine: DockerEngine, folder: Path) -> None:
        self.studio = studio
        self.engine = engine
        self.folder = folder
        self.port = free_port()
        studio.environment["DOCKER_HOST"] = engine.url
        wheels = Paths.of().cache / "wheels"
        wheels.mkdir(parents=True, exist_ok=True)
        shutil.copytree(wheels, studio.home / "edgewright" / "cache" / "wheels")  # not loaded twice
        settings = ("--set", f"base={BASE}", "--set", f"port={self.port}")
        assert studio.run("target", "add", "box", f"docker:{_PLACE}", *settings).code == 0
        np.savez(folder / "data.npz", image=trials.known())
        (folder / "preprocess.toml").write_text(trials.PREPROCESS.format(scale=1 / 255))
        first = self.deploy(trials.make_version(folder / "digits.onnx"))
        assert first.code == 0, first.err
        self.good = str(self.served()["digest"])

    def words(self, model: Path, *more: str | Path) -> list[str | Path]:
        return ["deploy", model, *BOX, "--data", self.folder / "data.npz", *more, "--json"]

    def deploy(self, model: Path, *more: str | Path) -> Ended:
        return self.studio.run(*self.words(model, *more), timeout=600)

    def served(self) -> dict[str, Any]:
        link = self.connect()
        link.request("GET", "/edgewright/status")
        found: dict[str, Any] = json.loads(link.getresponse().read())
        link.close()
        return found

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def tried(self, model: Path, *more: str | Path, pictures: bool = False) -> Ended:
        """Deploy with a quality trial while clients ask; none of them may feel it."""
        words = ("--trial", "--soak-s", "120", *more)
        with self.clients(pictures=pictures) as kept, self.clients(1, pictures, True) as fresh:
            kept.more(50)
            ended = self.deploy(model, *words)
            kept.more(50)
            fresh.more(5)
        print(f"{kept.answers} answers on open connections, {fresh.answers} on new ones")
        assert kept.failures == fresh.failures == []
        return ended

    def clients(
        self, count: int = 2, pictures: bool = False, fresh: bool = False
    ) -> trials.Clients:
        return trials.Clients(self.port, count, pictures, self.connect, fresh)

    def record(self) -> list[dict[str, Any]]:
        """The entries of the place's chained record."""
        gate = f"edgewright-{_PLACE}-gate"
        text = self.engine.run("exec", gate, "cat", "/opt/edgewright/turns/log.jsonl")
        return [json.loads(line) for line in text.splitlines()]

    def laid_out(self) -> list[str]:
        """What lies in the volume of a trial."""
        gate = f"edgewright-{_PLACE}-gate"
        listing = "import os; print(*(os.path.join(f, n) for f, _, s in "
        listing += "os.walk('/opt/edgewright/turns/trial') for n in s))"
        return self.engine.run("exec", gate, "python3", "-c", listing).split()

    @contextlib.contextmanager
    def on_trial(self, model: Path) -> Iterator[subprocess.Popen[bytes]]:
        """A deploy in a process of its own, whose release has the turn; it ends with the block."""
        command = [str(STUDIO), *map(str, self.words(model, "--trial"))]
        with subprocess.Popen(
            command,
            env=self.studio.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            preexec_fn=interruptible,
        ) as process:
            try:
                until(lambda: self.served()["digest"] != self.good, "the new one has its turn", 120)
                yield process
            finally:
                process.kill()

    def containers(self, *more: str) -> list[str]:
        """The names of the place's containers that run."""
        label = ("--filter", f"label=edgewright.target={_PLACE}", "--format", "{{.Names}}")
        return sorted(self.engine.run("ps", *label, *more).split())


@pytest.fixture(scope="module")
def box(engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trials]:
    studio = Studio(tmp_path_factory.mktemp("studio"))
    box = Trials(studio, engine, tmp_path_factory.mktemp("models"))
    yield box
    studio.run("undeploy", *BOX, "--purge")


@pytest.mark.parametrize("what", trials.WORSE)
@pytest.mark.long
def test_what_is_worse_is_taken_back_by_itself(box: Trials, tmp_path: Path, what: str) -> None:
    model, more = trials.make_worse(tmp_path, what)
    before = box.containers("--all")
    ended = box.tried(model, *more, pictures=bool(more))
    assert ended.code == 1, ended.out
    assert "was rolled back after the switch" in ended.err
    assert "Traceback" not in ended.err
    assert box.served()["digest"] == box.good
    entry = box.record()[-1]
    assert (entry["event"], entry["decision"], entry["before"]) == ("soak", "taken back", box.good)
    assert [one["says"] for one in entry["tests"]].count("bad") >= 1
    row = next(one for one in box.studio.ok("releases", *BOX) if one["release"] == entry["release"])
    assert (row["state"], row["version"]) == ("failed", entry["version"])
    assert "was rolled back after the switch" in row["reason"]
    assert box.containers("--all") == before, "nothing of it is left"
    assert box.laid_out() == []


def test_what_is_as_good_is_kept_and_says_why(box: Trials, tmp_path: Path) -> None:
    ended = box.tried(trials.make_version(tmp_path / "digits.onnx", jitter=0.002, seed=5))
    assert ended.code == 0, ended.err
    soak = ended.json["soak"]
    assert soak["decision"] == "kept"
    assert {one["test"]: one["says"] for one in soak["tests"]} == dict.fromkeys(
        ("errors", "agreement", "latency", "drift"), "good"
    )
    assert box.served()["digest"] == ended.json["release"] != box.good
    assert box.record()[-1]["decision"] == "kept"
    assert box.laid_out() == []
    assert len(box.containers()) == 2, "the gate and one release"
    assert box.studio.ok("rollback", *BOX)["release"] == box.good


@pytest.mark.long
def test_it_is_decided_without_the_studio(box: Trials, tmp_path: Path) -> None:
    """Killed in the middle; the next deploy takes away what is left."""
    wrong = trials.make_version(tmp_path / "digits.onnx", wrong=0.1)
    decided = len(box.record())
    with box.clients() as clients:
        with box.on_trial(wrong) as process:
            process.send_signal(signal.SIGKILL)
            process.wait(20)
        # For a moment both answer: which one does says nothing of what was decided.
        until(lambda: len(box.record()) > decided, "its decision", 120)
        until(lambda: box.served()["digest"] == box.good, "the old one has it again", 30)
        clients.more(50)
    assert clients.failures == []
    assert box.record()[-1]["decision"] == "taken back"
    listed = {one["release"]: one["state"] for one in box.studio.ok("releases", *BOX)}
    assert listed[box.record()[-1]["release"]] == "failed"
    done = box.deploy(box.folder / "digits.onnx")
    assert done.code == 0, done.err
    assert box.served()["digest"] == box.good
    assert len(box.containers()) == 2, "the gate and one release"


@pytest.mark.long
def test_a_trial_that_is_cancelled_leaves_what_was(box: Trials, tmp_path: Path) -> None:
    wrong = trials.make_version(tmp_path / "digits.onnx", jitter=0.002, seed=7)
    before = box.containers("--all")
    with box.clients(1) as clients:
        with box.on_trial(wrong) as process:
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 130
        until(lambda: "was cancelled" in box.record()[-1].get("reason", ""), "its record", 30)
        until(lambda: box.served()["digest"] == box.good, "the old one has it again", 30)
        clients.more(20)
    assert clients.failures == []
    assert box.laid_out() == []
    # A worker has seconds to end when it is cancelled: what it left, the next deploy takes away.
    assert box.deploy(box.folder / "digits.onnx").code == 0
    assert box.containers("--all") == before


@pytest.mark.long
def test_a_rollback_ends_a_trial(box: Trials, tmp_path: Path) -> None:
    model = trials.make_version(tmp_path / "digits.onnx", jitter=0.002, seed=8)
    with box.on_trial(model) as process:
        assert box.studio.ok("rollback", *BOX)["release"] == box.good
        _, told = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "its trial was ended by a rollback" in told.decode()
    assert "Traceback" not in told.decode()
    assert "its trial was ended by a rollback" in box.record()[-1]["reason"]
    assert box.served()["digest"] == box.good
    assert len(box.containers()) == 2, "the gate and one release"


@pytest.mark.long
def test_a_rollout_holds_its_canary_to_a_trial(box: Trials, tmp_path: Path) -> None:
    wrong = trials.make_version(tmp_path / "digits.onnx", wrong=0.1)
    words = ("--trial", "canary", "--trial-s", "120", "--data", box.folder / "data.npz")
    with box.clients() as clients:
        ended = box.studio.run("rollout", wrong, *BOX, *words, "--json", timeout=600)
        clients.more(50)
    assert clients.failures == []
    assert ended.code == 3, ended.err  # halted: a gate was not met
    (row,) = ended.json["targets"]
    assert (row["state"], row["trial"]["decision"]) == ("taken back", "taken back"), row["text"]
    assert {one["test"]: one["says"] for one in row["trial"]["tests"]}["agreement"] == "bad"
    assert box.served()["digest"] == box.good


@pytest.mark.long
def test_a_server_that_ends_on_trial_is_taken_back(box: Trials, tmp_path: Path) -> None:
    model = trials.make_version(tmp_path / "digits.onnx", jitter=0.002, seed=6)
    before = box.containers()
    with box.on_trial(model) as process:
        (new,) = set(box.containers()) - set(before)
        another = box.deploy(box.folder / "digits.onnx")
        assert another.code == 1
        assert f"is on trial at docker:{_PLACE}" in another.err
        box.engine.run("exec", new, "python3", "-c", "import os; os.kill(1, 15)")
        _, told = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "its server ended while it was on trial" in told.decode()
    assert "Traceback" not in told.decode()
    assert box.served()["digest"] == box.good
    entry = box.record()[-1]
    assert (entry["decision"], entry["before"]) == ("taken back", box.good)
    assert new not in box.containers("--all")


@pytest.mark.long
def test_answers_go_on_being_compared_where_that_is_asked_for(box: Trials, tmp_path: Path) -> None:
    model = trials.make_version(tmp_path / "digits.onnx", jitter=0.002, seed=9)
    done = box.deploy(model, "--shadow-cpu", "20")
    assert done.code == 0, done.err
    with box.clients() as clients:
        until(lambda: (box.served()["mirror"] or {}).get("compared", 0) >= 60, "comparisons", 180)
    assert clients.failures == []
    told = box.served()["mirror"]
    assert (told["trial"], told["release"], told["fault"]) == (False, box.good, "")
    assert told["low"] > 0.8
    assert box.deploy(model).code == 0  # without the option: it ends
    until(lambda: box.served()["mirror"] is None, "the end of it", 30)
    assert box.laid_out() == []


def test_requests_cannot_be_kept_and_that_is_said_before_anything_is_made(box: Trials) -> None:
    before = box.studio.ok("target", "resources", "box")["resources"]
    ended = box.deploy(box.folder / "digits.onnx", "--keep-samples", "5")
    assert ended.code == 2
    assert "box cannot keep requests" in ended.err
    assert box.studio.ok("target", "resources", "box")["resources"] == before

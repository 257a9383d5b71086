"""Releases on trial on a real board over SSH: the worse is taken back by itself, the good kept."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.e2e.conftest import Ended, Studio
from tests.rigs import trials
from tests.rigs.boards import Board, Network, shown, until

pytestmark = [pytest.mark.rig, pytest.mark.needs("sshd", "ip", "unshare", "ssh-keygen")]

ROOF = ("--target", "roof")
_FIRST, *_MORE = trials.WORSE
_WORSE = (_FIRST, *(pytest.param(one, marks=pytest.mark.long) for one in _MORE))


class Trials:
    """A board that serves a good version, and is given others.

    Attributes:
        log: The lines of the record on the board.
    """

    def __init__(self, studio: Studio, board: Board, folder: Path) -> None:
        self.studio = studio
        self.board = board
        self.folder = folder
        words = ("target", "add", "roof", board.url, "--key-file", board.key_file)
        ended = studio.run(*words, "--accept-host-key", shown(board.host_key))
        assert ended.code == 0, ended.err
        np.savez(folder / "data.npz", image=trials.known())
        (folder / "preprocess.toml").write_text(trials.PREPROCESS.format(scale=1 / 255))
        first = self.deploy(
            trials.make_version(folder / "digits.onnx"),
            "--expose",
            "network",
            "--allow-unauthenticated",
        )
        assert first.code == 0, first.err
        self.port = int(first.json["port"])
        self.good = str(self.served()["digest"])

    def deploy(self, model: Path, *more: str | Path) -> Ended:
        data = ("--data", self.folder / "data.npz")
        return self.studio.run("deploy", model, *ROOF, *data, *more, "--json", timeout=600)

    def served(self) -> dict[str, Any]:
        link = http.client.HTTPConnection(self.board.address, self.port, timeout=10)
        link.request("GET", "/edgewright/status")
        found: dict[str, Any] = json.loads(link.getresponse().read())
        link.close()
        return found

    def tried(self, model: Path, *more: str | Path, pictures: bool = False) -> Ended:
        """Deploy with a quality soak while clients ask; none of them may feel it."""
        with trials.Clients(self.port, pictures=pictures, connect=self._connect) as clients:
            clients.more(50)
            ended = self.deploy(model, "--trial", "--soak-s", "120", *more)
            clients.more(50)
        assert clients.failures == []
        return ended

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.board.address, self.port, timeout=30)


@pytest.fixture(scope="module")
def roof(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trials]:
    studio = Studio(tmp_path_factory.mktemp("studio"))
    with Network() as network, Board(network, tmp_path_factory.mktemp("board")) as board:
        yield Trials(studio, board, tmp_path_factory.mktemp("models"))


@pytest.mark.parametrize("what", _WORSE)
def test_what_is_worse_is_taken_back_by_itself(roof: Trials, tmp_path: Path, what: str) -> None:
    model, more = trials.make_worse(tmp_path, what)
    ended = roof.tried(model, *more, pictures=bool(more))
    assert ended.code == 1
    assert "was rolled back after the switch" in ended.err
    assert "Traceback" not in ended.err
    assert roof.served()["digest"] == roof.good
    newest, *_ = roof.studio.ok("releases", "--everywhere")
    assert (newest["target"], newest["state"]) == ("roof", "failed")
    assert newest["reason"] in ended.err
    assert newest["release"] != roof.good


def test_a_rollout_holds_its_canary_to_a_trial(roof: Trials, tmp_path: Path) -> None:
    """And the trial is time in which the version ran, by the board's own log."""
    model = trials.make_version(tmp_path / "digits.onnx", wrong=0.1)
    words = ("--trial", "canary", "--trial-s", "120", "--data", roof.folder / "data.npz")
    with trials.Clients(roof.port, pictures=False, connect=roof._connect) as clients:
        clients.more(50)
        ended = roof.studio.run("rollout", model, *ROOF, *words, "--json", timeout=600)
        clients.more(50)
    assert clients.failures == []
    assert ended.code == 3, ended.err  # halted: a gate was not met
    (row,) = ended.json["targets"]
    assert row["state"] == "taken back", row["text"]
    assert row["trial"]["decision"] == "taken back"
    found = {one["test"]: one["says"] for one in row["trial"]["tests"]}
    assert found["agreement"] == "bad"
    assert roof.served()["digest"] == roof.good
    newest, *_ = roof.studio.ok("releases", "--everywhere")
    assert (newest["release"], newest["state"]) == (ended.json["release"], "failed")
    (then,) = roof.studio.ok("versions", "at", newest["at"], "--target", "roof")["targets"]
    assert (then["served"]["release"], then["served"]["on_trial"]) == (newest["release"], True)
    (now,) = roof.studio.ok("versions", "at", "now", "--target", "roof")["targets"]
    assert now["served"]["release"] == roof.good
    log = roof.studio.ok("verify-log", *ROOF)["changes"]
    switched = next(one for one in log if one.get("release") == newest["release"])
    began = datetime.fromisoformat(newest["at"]).timestamp()
    assert abs(began - switched["at"]) < row["trial"]["seconds"] + 10


def test_what_is_as_good_is_kept_and_says_why(roof: Trials, tmp_path: Path) -> None:
    model = trials.make_version(tmp_path / "digits.onnx", jitter=0.002, seed=5)
    ended = roof.tried(model)
    assert ended.code == 0, ended.err
    soak = ended.json["soak"]
    assert soak["decision"] == "kept"
    assert {one["test"]: one["says"] for one in soak["tests"]} == dict.fromkeys(
        ("errors", "agreement", "latency", "drift"), "good"
    )
    assert roof.served()["digest"] != roof.good


def test_a_rule_with_an_unknown_name_is_refused_before_anything_is_sent(roof: Trials) -> None:
    ended = roof.deploy(roof.folder / "digits.onnx", "--trial-rule", "disagrement=0.1")
    assert ended.code == 2
    assert "Did you mean disagreement" in ended.err


def test_a_trial_of_a_second_lasts_a_second(roof: Trials, tmp_path: Path) -> None:
    """Not the 300 of a trial without a time; and nothing can be decided in it."""
    model = trials.make_version(tmp_path / "digits.onnx", jitter=0.002, seed=6)
    ended = roof.deploy(model, "--trial", "--soak-s", "1")
    assert ended.code == 0, ended.err
    soak = ended.json["soak"]
    assert soak["decision"] == "kept undecided"
    assert 1.0 <= soak["seconds"] < 60.0


@pytest.mark.parametrize("way", ["deploy", pytest.param("rollout", marks=pytest.mark.long)])
def test_uncertain_requests_come_over_ssh_and_go_when_asked(
    roof: Trials, tmp_path: Path, way: str
) -> None:
    """Kept because that step said so, compared with the version before, fetched and deleted."""
    model = trials.make_version(tmp_path / "digits.onnx", jitter=0.002, seed=20 + len(way))
    words = ("--keep-samples", "5", "--shadow-cpu", "20", "--embedding", "auto")
    if way == "deploy":
        kept = roof.deploy(model, *words, "--soak-s", "1")
    else:
        words = (*words, "--requests", "8", "--max-latency-ratio", "50")
        data = ("--data", roof.folder / "data.npz")
        kept = roof.studio.run("rollout", model, *ROOF, *data, *words, "--json", timeout=600)
        assert kept.json["state"] == "done", kept.out
    assert kept.code == 0, kept.err
    with trials.Clients(roof.port, pictures=False, connect=roof._connect) as clients:

        def enough() -> bool:
            told = roof.served()
            mirror, samples = told.get("mirror") or {}, told.get("samples") or {}
            return mirror.get("compared", 0) >= 20 and samples.get("kept", 0) >= 2

        until(enough, "samples and comparisons", 90.0)
    assert clients.failures == []
    told = roof.served()
    assert told["mirror"]["trial"] is False
    assert told["mirror"]["low"] > 0.8
    assert any(one["name"].startswith("embedding") for one in told["drift"]["signals"])
    words = ("--samples", tmp_path / "kept", "--delete-samples", "--json")
    looked = roof.studio.run("monitor", *ROOF, *words)
    assert looked.code == 0, looked.err
    assert looked.json["taken"]["fetched"] == looked.json["taken"]["deleted"] >= 2
    files = list((tmp_path / "kept").glob("*.npz"))
    assert len(files) == looked.json["taken"]["fetched"]
    with np.load(files[0]) as arrays:
        assert arrays["image"].shape == (1, 1, 8, 8)
    # The next deploy does not say so: nothing is kept or compared any more.
    ended = roof.deploy(model, "--soak-s", "1")
    assert ended.code == 0, ended.err
    until(lambda: roof.served()["samples"] is None, "the end of it", 30.0)
    assert roof.served()["mirror"] is None

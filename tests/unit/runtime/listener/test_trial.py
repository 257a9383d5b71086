"""Trials behind a gate, with real servers under load: given a turn, watched, kept or taken back."""

from __future__ import annotations

import http.client
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.packages import Bundle
from studio.runtime.health import main as health
from studio.runtime.listener import trial
from studio.runtime.listener.command import main
from studio.runtime.serve import local_server
from studio.runtime.shared import trial_note
from studio.runtime.shared.chained_log import Journal
from studio.runtime.shared.errors import ReleaseError
from studio.runtime.shared.listener_turns import Turns
from tests.rigs.bundles import make_bundle
from tests.rigs.load import Load, varied
from tests.unit.runtime.listener.test_turns import Gate
from tests.unit.runtime.serve import rig

pytestmark = pytest.mark.slow
ANSWERS = {"judge": "errors,agreement"}
"""Models of microseconds are not timed here: a busy machine would decide."""


class Place:
    """A gate with one release whose turn it is, and another that waits for a trial."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
        self.folder = folder / "turns"
        self.folder.mkdir()
        self.turns = Turns(self.folder)
        self.gate = Gate(self.folder)
        self.old = make_bundle(folder / "old", 1)
        self.new = make_bundle(folder / "new", 2, seed=seed)
        self._log = folder
        self.servers = {one.digest: self.serve(one) for one in (self.old, self.new)}
        self.gate.turn(self.old.digest)
        shutil.copytree(self.old.folder, self.laid_out)
        first = folder / "cmdline"
        words = ("serve", "--bundle", str(self.new.folder), "--gate", str(self.folder))
        words = (*words, "--port", str(self.servers[self.new.digest].port))
        first.write_bytes(b"".join(word.encode() + b"\0" for word in words))
        monkeypatch.setattr(local_server, "_FIRST", first)
        self.told: list[dict[str, Any]] = []

    @property
    def laid_out(self) -> Path:
        return trial_note.root_of(self.folder) / "releases" / self.old.digest

    def serve(self, bundle: Bundle) -> rig.ServerProcess:
        where = ("--bundle", str(bundle.folder), "--gate", str(self.folder))
        return rig.ServerProcess(*where, log=self._log / f"{bundle.digest[:8]}.log")

    def hold(self, share: float = 0.0, **rule: str) -> dict[str, Any]:
        asked = trial.RequestedTrial(
            self.new.digest, self.old.digest, "ann", {**ANSWERS, **rule}, 60.0, False, share
        )
        with Load(self.gate.port, clients=2, bodies=varied()) as clients:
            clients.more(20)
            try:
                return trial.run_trial(self.turns, asked, self.told.append)
            finally:
                clients.more(100)
                assert clients.failures == []

    def status(self) -> dict[str, Any]:
        link = http.client.HTTPConnection("127.0.0.1", self.gate.port, timeout=20)
        link.request("GET", "/edgewright/status")
        found: dict[str, Any] = json.loads(link.getresponse().read())
        link.close()
        return found

    def comes_back(self) -> bool:
        """Whether the release before answers again.

        The other one takes clients until it has seen that its turn is over, a moment later.
        """
        back = self.old.digest
        rig.wait_until(lambda: self.status()["digest"] == back, "the one before answers")
        return self.turns.current() == back

    def record(self) -> list[dict[str, Any]]:
        return Journal(self.folder / "log.jsonl").entries()

    def close(self) -> None:
        for server in self.servers.values():
            server.stop()
        self.gate.end()


@pytest.fixture
def place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Place]:
    """Of the version on trial, ``param`` is the seed: 1 answers as the one before does."""
    place = Place(tmp_path, monkeypatch, getattr(request, "param", 1))
    yield place
    place.close()


@pytest.mark.parametrize("place", [2], indirect=True)
def test_one_that_answers_otherwise_gives_its_turn_back(place: Place) -> None:
    with pytest.raises(ReleaseError, match="results differ from the previous release") as raised:
        place.hold()
    assert raised.value.code == "soak-failed"
    assert place.comes_back()
    (entry,) = place.record()
    assert (entry["event"], entry["decision"]) == ("soak", "taken back")
    assert (entry["release"], entry["before"]) == (place.new.digest, place.old.digest)
    assert (entry["name"], entry["version"], entry["owner"]) == ("cnn", 2, "ann")
    assert {one["test"]: one["says"] for one in entry["tests"]}["agreement"] == "bad"
    assert Journal(place.folder / "log.jsonl").broken_at() == 0
    assert not trial_note.root_of(place.folder).exists()


def test_one_that_is_as_good_is_kept(place: Place) -> None:
    found = place.hold()
    assert found["decision"] == "kept"
    assert place.told[0] == {"event": "turn"}
    assert place.told[-1]["event"] == "progress"
    assert place.status()["digest"] == place.new.digest
    assert place.record()[-1]["decision"] == "kept"
    assert not trial_note.root_of(place.folder).exists()
    place.servers[place.old.digest].stop()  # as the studio does now
    assert place.status()["mirror"] is None


def test_answers_go_on_being_compared_for_a_share(place: Place) -> None:
    place.hold(share=0.2)
    rig.wait_until(lambda: bool((place.status()["mirror"] or {}).get("loaded")), "it compares")
    told = place.status()["mirror"]
    assert (told["trial"], told["release"]) == (False, place.old.digest)
    assert trial_note.read(place.folder) is None


def test_both_servers_live_and_clients_with_open_connections_follow_the_turn(place: Place) -> None:
    """Otherwise the one on trial would see no request of theirs, and the worse one keep them."""
    link = http.client.HTTPConnection("127.0.0.1", place.gate.port, timeout=20)
    for now in (place.old, place.new, place.old):
        place.gate.turn(now.digest)
        rig.wait_until(lambda now=now: _digest(link) == now.digest, "the same client's")
    link.close()


def _digest(link: http.client.HTTPConnection) -> str:
    link.request("GET", "/edgewright/status")
    return str(json.loads(link.getresponse().read())["digest"])


def test_one_whose_server_was_started_again_on_trial_is_taken_back(place: Place) -> None:
    new = place.new.digest
    wanted = trial_note.TrialNote(new, place.old.digest, "ann", trial_note.late(60.0), "cnn", 2)
    place.gate.turn(new)
    trial_note.begin(place.folder, wanted)
    place.servers[new].stop()
    place.servers[new] = place.serve(place.new)
    assert place.status()["digest"] == place.old.digest
    (entry,) = place.record()
    assert (entry["decision"], entry["release"]) == ("taken back", new)
    assert "ended while it was on trial" in entry["reason"]
    assert trial_note.read(place.folder) is None
    place.gate.turn(new)  # later, and without a trial: it is served like any other
    place.servers[new].stop()
    place.servers[new] = place.serve(place.new)
    assert place.status()["digest"] == new


def test_another_that_was_served_meanwhile_goes_on(place: Place) -> None:
    def tell(line: dict[str, Any]) -> None:
        if line["event"] == "progress":
            place.turns.give(place.old.digest, "bob")

    asked = trial.RequestedTrial(place.new.digest, place.old.digest, "ann", ANSWERS, 20.0)
    with pytest.raises(ReleaseError, match="Another release was served"):
        trial.run_trial(place.turns, asked, tell)
    assert place.turns.past()[-1]["by"] == "bob"
    assert place.record() == []


def test_whoever_wants_it_to_end_writes_why(place: Place) -> None:
    def tell(line: dict[str, Any]) -> None:
        if line["event"] == "progress":
            (trial_note.root_of(place.folder) / "end").write_text("its trial was cancelled")

    asked = trial.RequestedTrial(place.new.digest, place.old.digest, "ann", ANSWERS, 20.0)
    with pytest.raises(ReleaseError, match=r"its trial was cancelled\."):
        trial.run_trial(place.turns, asked, tell)
    assert place.comes_back()
    (entry,) = place.record()
    assert entry["decision"] == "taken back"
    assert "its trial was cancelled" in entry["reason"]
    assert not trial_note.root_of(place.folder).exists()


def test_what_was_laid_out_is_what_was_served_or_nothing_begins(
    place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    (place.laid_out / "model.onnx").write_bytes(b"another")
    words = ["trial", place.new.digest, "--before", place.old.digest]
    assert main([*words, "--folder", str(place.folder)]) == 1
    line = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert (line["event"], line["code"]) == ("error", "altered-file")
    assert place.turns.current() == place.old.digest
    assert place.record() == []


@pytest.mark.parametrize("rule", ['{"disagrement": 0.1}', '{"judge": "luck"}'])
def test_a_rule_that_is_none_begins_nothing(
    place: Place, capfd: pytest.CaptureFixture[str], rule: str
) -> None:
    words = ["trial", place.new.digest, "--folder", str(place.folder), "--rule", rule]
    assert main(words) == 1
    assert json.loads(capfd.readouterr().out.splitlines()[-1])["code"] == "bad-rule"
    assert place.turns.current() == place.old.digest


def test_the_first_release_is_judged_by_its_errors_alone(place: Place) -> None:
    asked = trial.RequestedTrial(place.new.digest, "", "ann", {"undecided": "take back"}, 1.0)
    with pytest.raises(ReleaseError, match=r"inconclusive after 1 s: errors"):
        trial.run_trial(place.turns, asked, place.told.append)
    assert place.turns.current() == "", "nothing was served before"
    (entry,) = place.record()
    agreement = next(one for one in entry["tests"] if one["test"] == "agreement")
    assert "there is no previous release" in agreement["text"]


def test_a_server_tells_all_of_itself(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert health(["--status"]) == 0
    assert json.loads(capsys.readouterr().out)["digest"] == place.new.digest

"""The way of a release from a server to a board, and each place where it can be cut."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from studio.packages import Bundle
from studio.packages.bundle import write_manifest
from studio.runtime.pull.action_state import load, save
from studio.runtime.pull.errors import PullError, TryLater
from tests.rigs.pull.artifacts import artifact_of
from tests.rigs.pull.board import NAME
from tests.rigs.pull.ddi_server import DdiServer, Offer
from tests.unit.runtime.pull.conftest import MakeBoard

pytestmark = pytest.mark.slow


@pytest.fixture(scope="package")
def artifacts(bundles: list[Bundle], tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Artefacts of both versions."""
    folder = tmp_path_factory.mktemp("artifacts")
    return [artifact_of(bundle, folder) for bundle in bundles]


def test_a_release_is_pulled_served_and_reported(
    make_board: MakeBoard, server: DdiServer, bundles: list[Bundle], artifacts: list[bytes]
) -> None:
    board = make_board()
    server.offer(NAME, Offer("12", artifacts[0]))
    assert board.poll() == 30.0
    assert server.outcomes(NAME) == ["success"], server.sentences(NAME)
    assert board.current == bundles[0].digest
    assert "Version 1 of cnn serves (release" in server.sentences(NAME)
    assert "golden samples agree" in server.sentences(NAME)
    assert board.leftovers() == []
    assert board.events() == ["active"]


def test_the_facts_follow_a_release(
    make_board: MakeBoard, server: DdiServer, bundles: list[Bundle], artifacts: list[bytes]
) -> None:
    board = make_board()
    board.poll()
    assert server.facts[NAME]["sw_version"] == "none"
    server.offer(NAME, Offer("12", artifacts[0]))
    board.poll()
    board.poll()
    facts = server.facts[NAME]
    assert facts["release"] == bundles[0].digest
    assert facts["sw_version"] == f"1.1.0+{bundles[0].digest[:12]}"
    assert facts["counter"] == "1"
    asked = len([one for one in server.asked if one.startswith("PUT")])
    board.poll()
    assert len([one for one in server.asked if one.startswith("PUT")]) == asked


def test_an_action_that_is_offered_again_is_only_reported(
    make_board: MakeBoard, server: DdiServer, artifacts: list[bytes]
) -> None:
    board = make_board()
    server.offer(NAME, Offer("12", artifacts[0]))
    board.poll()
    before = len([one for one in server.asked if one.endswith("/download")])
    server.offer(NAME, Offer("12", artifacts[0]))
    board.poll()
    assert server.outcomes(NAME) == ["success", "success"]
    assert len([one for one in server.asked if one.endswith("/download")]) == before


def test_a_release_that_fails_its_gate_is_rolled_back_and_reported(
    make_board: MakeBoard, server: DdiServer, bundles: list[Bundle], tmp_path: Path
) -> None:
    board = make_board()
    server.offer(NAME, Offer("12", artifact_of(bundles[0], tmp_path)))
    board.poll()
    bad = with_another_model(bundles[1], bundles[0], tmp_path / "bad")
    server.offer(NAME, Offer("13", artifact_of(bad, tmp_path)))
    board.poll()
    assert server.outcomes(NAME) == ["success", "failure"]
    assert "golden samples differ" in server.sentences(NAME)
    assert board.current == bundles[0].digest
    assert board.events() == ["active", "failed"]
    server.offer(NAME, Offer("14", artifact_of(bad, tmp_path)))
    board.poll()
    assert "has failed on this board before" in server.sentences(NAME)


def test_an_older_release_is_refused_without_an_order(
    make_board: MakeBoard, server: DdiServer, bundles: list[Bundle], artifacts: list[bytes]
) -> None:
    board = make_board()
    server.offer(NAME, Offer("12", artifacts[1]))
    board.poll()
    server.offer(NAME, Offer("13", artifacts[0]))
    board.poll()
    assert server.outcomes(NAME) == ["success", "failure"]
    assert "older than the last release" in server.sentences(NAME)
    assert board.current == bundles[1].digest


def test_an_older_release_is_taken_with_an_order(
    make_board: MakeBoard,
    server: DdiServer,
    bundles: list[Bundle],
    artifacts: list[bytes],
    tmp_path: Path,
) -> None:
    board = make_board()
    server.offer(NAME, Offer("12", artifacts[1]))
    board.poll()
    server.offer(NAME, Offer("13", artifact_of(bundles[0], tmp_path, "version 2 misses scratches")))
    board.poll()
    assert server.outcomes(NAME) == ["success", "success"]
    assert board.current == bundles[0].digest


def test_an_unsigned_release_is_refused_by_default(
    make_board: MakeBoard, server: DdiServer, artifacts: list[bytes]
) -> None:
    board = make_board(unsigned=False)
    server.offer(NAME, Offer("12", artifacts[0]))
    board.poll()
    assert server.outcomes(NAME) == ["failure"]
    assert "takes no unsigned release" in server.sentences(NAME)
    assert board.current == ""


def test_only_allowed_signers_are_obeyed(
    make_board: MakeBoard, server: DdiServer, bundles: list[Bundle], tmp_path: Path
) -> None:
    board = make_board(unsigned=False)
    ours, theirs = (_key(tmp_path / name) for name in ("ours", "theirs"))
    public = ours.with_suffix(".pub").read_text()
    board.machine.layout.signers.write_text(f"ann@desk {public}")
    server.offer(
        NAME, Offer("11", artifact_of(_signed(bundles[0], theirs, tmp_path / "a"), tmp_path))
    )
    board.poll()
    assert "no allowed signer has signed" in server.sentences(NAME)
    assert board.current == ""
    server.offer(
        NAME, Offer("12", artifact_of(_signed(bundles[0], ours, tmp_path / "b"), tmp_path))
    )
    board.poll()
    assert server.outcomes(NAME) == ["failure", "success"]
    assert "signed by ann@desk" in server.sentences(NAME)


@pytest.mark.parametrize(
    ("announced", "sentence"),
    [
        ({"hashes": {"sha1": "0" * 40}}, "SHA1 differs"),
        ({"hashes": {"sha256": "0" * 64}}, "SHA256 differs"),
        ({"hashes": {"md5": "0" * 32}}, "no usable digest"),
        ({"size": 1000}, "another size"),
        ({"size": 10**10}, "takes at most"),
        ({"size": -1}, "no usable size"),
        ({"size": "12"}, "no usable size"),
        ({"filename": "image.raucb"}, "0 files of the form .swu"),
        ({"_links": {}}, "no address"),
    ],
)
def test_a_server_that_lies_about_the_artefact(
    make_board: MakeBoard,
    server: DdiServer,
    artifacts: list[bytes],
    announced: dict[str, object],
    sentence: str,
) -> None:
    board = make_board()
    server.offer(NAME, Offer("12", artifacts[0], announced=announced))
    board.poll()
    assert server.outcomes(NAME) == ["failure"]
    assert sentence in server.sentences(NAME)
    assert board.current == ""
    assert board.leftovers() == []


@pytest.mark.parametrize(
    "link",
    [
        "http://other.example.org/DEFAULT/controller/v1/board-1/download",
        "/OTHER/controller/v1/board-1/download",
        "/DEFAULT/controller/v1/board-2/download",
        "/DEFAULT/controller/v1/board-1/../board-2/download",
        "/DEFAULT/controller/v1/board-12/download",
    ],
)
def test_links_out_of_the_boards_own_place_are_not_followed(
    make_board: MakeBoard, server: DdiServer, artifacts: list[bytes], link: str
) -> None:
    board = make_board()
    server.offer(NAME, Offer("12", artifacts[0], link=link))
    board.poll()
    assert server.outcomes(NAME) == ["failure"]
    assert not [one for one in server.asked if one.endswith("/download")]


@pytest.mark.parametrize("link", ["/OTHER/controller/v1/board-1/deploymentBase/1", "//", "x"])
def test_an_action_of_another_tenant_is_not_looked_at(
    make_board: MakeBoard, server: DdiServer, artifacts: list[bytes], link: str
) -> None:
    board = make_board()
    server.offer(NAME, Offer("12", artifacts[0]))
    server.faults.deployment = link
    with pytest.raises(PullError, match="not for this board"):
        board.poll()
    assert not [one for one in server.asked if "deploymentBase" in one]


def test_the_evidence_of_a_trial_travels_back(
    make_board: MakeBoard, server: DdiServer, artifacts: list[bytes]
) -> None:
    board = make_board(trial=True, soak_s=1.0)
    for number, artifact in enumerate(artifacts):
        server.offer(NAME, Offer(str(number), artifact))
        board.poll()
    assert server.outcomes(NAME) == ["success", "success"]
    lines = server.sentences(NAME).splitlines()
    evidence = json.loads(
        next(one for one in lines if one.startswith("evidence ")).partition(" ")[2]
    )
    assert {one["test"] for one in evidence["tests"]} >= {"errors", "agreement", "latency"}


def test_a_cut_download_goes_on_where_it_was(
    make_board: MakeBoard, server: DdiServer, bundles: list[Bundle], artifacts: list[bytes]
) -> None:
    board = make_board()
    server.offer(NAME, Offer("12", artifacts[0]))
    server.faults.cut_after = 1000
    with pytest.raises(TryLater, match="ended in the middle"):
        board.poll()
    assert server.outcomes(NAME) == []
    board.poll()
    assert server.ranges == ["bytes=1000-"]
    assert board.current == bundles[0].digest


def test_a_server_without_ranges_sends_all_again(
    make_board: MakeBoard, server: DdiServer, bundles: list[Bundle], artifacts: list[bytes]
) -> None:
    board = make_board()
    server.offer(NAME, Offer("12", artifacts[0]))
    server.faults.cut_after, server.faults.no_ranges = 1000, True
    with pytest.raises(TryLater):
        board.poll()
    board.poll()
    assert board.current == bundles[0].digest


def test_a_cancelled_action_leaves_nothing(
    make_board: MakeBoard, server: DdiServer, artifacts: list[bytes]
) -> None:
    board = make_board()
    server.offer(NAME, Offer("12", artifacts[0]))
    server.faults.cut_after = 1000
    with pytest.raises(TryLater):
        board.poll()
    server.cancelled[NAME] = "12"
    del server.offers[NAME]
    board.poll()
    assert server.outcomes(NAME) == ["success"]
    assert board.leftovers() == []
    assert board.state["action"] == ""


def test_a_cancellation_that_comes_too_late_is_refused(
    make_board: MakeBoard, server: DdiServer, bundles: list[Bundle], artifacts: list[bytes]
) -> None:
    board = make_board()
    server.offer(NAME, Offer("12", artifacts[0]))
    board.poll()
    server.cancelled[NAME] = "12"
    board.poll()
    assert server.feedback[NAME][-1]["status"]["execution"] == "rejected"
    assert board.current == bundles[0].digest


def test_an_action_that_may_only_be_downloaded_waits(
    make_board: MakeBoard, server: DdiServer, bundles: list[Bundle], artifacts: list[bytes]
) -> None:
    board = make_board()
    server.offer(NAME, Offer("12", artifacts[0], update="skip"))
    board.poll()
    assert board.current == ""
    assert server.outcomes(NAME) == []
    server.offer(NAME, Offer("12", artifacts[0]))
    board.poll()
    assert board.current == bundles[0].digest
    assert len([one for one in server.asked if one.endswith("/download")]) == 1


def test_an_outcome_is_reported_after_the_server_was_away(
    make_board: MakeBoard, server: DdiServer, artifacts: list[bytes]
) -> None:
    board = make_board()
    server.offer(NAME, Offer("12", artifacts[0]))
    board.poll()
    state = load(board.folder)
    save(board.folder, state._replace(reported=False))
    server.faults.statuses = [503]
    server.faults.headers = {"Retry-After": "120"}
    with pytest.raises(TryLater) as raised:
        board.poll()
    assert raised.value.after_s == 120.0
    assert board.state["reported"] is False
    board.poll()
    assert server.outcomes(NAME) == ["success", "success"]
    assert board.state["reported"] is True


def test_a_client_that_was_killed_after_the_switch_reports_it(
    make_board: MakeBoard, server: DdiServer, bundles: list[Bundle], artifacts: list[bytes]
) -> None:
    board = make_board()
    server.offer(NAME, Offer("12", artifacts[0]))
    board.poll()
    state = load(board.folder)
    save(board.folder, state._replace(outcome="", installing=True, reported=False))
    server.offer(NAME, Offer("12", artifacts[0]))
    board.poll()
    assert server.outcomes(NAME) == ["success", "success"]
    assert "interrupted after the switch" in server.sentences(NAME)
    assert board.events() == ["active"]


def test_a_machine_that_was_killed_in_the_switch_installs_again(
    make_board: MakeBoard, server: DdiServer, bundles: list[Bundle], artifacts: list[bytes]
) -> None:
    board = make_board()
    server.offer(NAME, Offer("12", artifacts[0]))
    board.poll()
    raw = json.loads(board.machine.layout.state.read_bytes())
    raw.update(phase="switch", pending=bundles[1].digest)
    board.machine.layout.state.write_text(json.dumps(raw))
    server.offer(NAME, Offer("13", artifacts[1]))
    board.poll()
    assert board.current == bundles[1].digest
    assert server.outcomes(NAME) == ["success", "success"]


def test_another_operator_is_waited_for(
    make_board: MakeBoard, server: DdiServer, bundles: list[Bundle], artifacts: list[bytes]
) -> None:
    board = make_board()
    board.machine.begin()
    server.offer(NAME, Offer("12", artifacts[0]))
    with pytest.raises(TryLater, match="is deploying to this target"):
        board.poll()
    assert server.outcomes(NAME) == []
    board.machine.ok("end")
    board.poll()
    assert board.current == bundles[0].digest


def test_the_token_is_sent(make_board: MakeBoard, server: DdiServer) -> None:
    server.token = "s3cret"
    board = make_board(token="s3cret")
    board.poll()
    assert NAME in server.facts
    stranger = make_board("stranger", token="wrong")
    with pytest.raises(TryLater, match="does not accept the token"):
        stranger.poll()


def with_another_model(bundle: Bundle, other: Bundle, folder: Path) -> Bundle:
    """The same bundle with the model of another version, which answers otherwise."""
    shutil.copytree(bundle.folder, folder)
    raw = json.loads(bundle.text)
    model = next(file for file in other.files if file.name == "model.onnx")
    raw["files"]["model.onnx"] = {"sha256": model.digest, "bytes": model.size}
    for name in ("model.onnx", "manifest.json"):
        (folder / name).unlink()
    (folder / "model.onnx").write_bytes(model.path.read_bytes())
    write_manifest(folder, raw)
    return Bundle.open(folder)


def _key(path: Path) -> Path:
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)]
    subprocess.run(words, check=True)
    return path


def _signed(bundle: Bundle, key: Path, folder: Path) -> Bundle:
    shutil.copytree(bundle.folder, folder)
    manifest = folder / "manifest.json"
    words = ["ssh-keygen", "-q", "-Y", "sign", "-n", "edgewright", "-f", str(key), str(manifest)]
    subprocess.run(words, check=True)
    return Bundle.open(folder)

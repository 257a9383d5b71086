"""The line of each model on a target: what may come after what, and how one goes back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.packages import Bundle
from studio.packages.signing import signature_of
from studio.runtime.release.intake.signature import DOWNGRADES
from studio.runtime.release.store.latest_releases import is_older, lines_of, order_of, reason_of
from studio.runtime.shared.errors import ReleaseError
from studio.runtime.shared.files import remove
from tests.rigs.bundles import make_bundle, reference
from tests.unit.runtime.models import make_cnn
from tests.unit.runtime.release.intake.test_signature import line_of, make_key
from tests.unit.runtime.release.machine import Machine, machine


def named(folder: Path, name: str, version: int) -> Bundle:
    """A bundle of a model of another name."""
    folder.mkdir(parents=True)
    model = make_cnn(folder / f"{name}.onnx", seed=40 + version)
    return make_bundle(folder, version, model=reference(model, name))


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Bundle]:
    """Versions 4 and 5 of ``cnn``, version 2 of ``other``."""
    folder = tmp_path_factory.mktemp("bundles")
    return {
        "cnn 4": make_bundle(folder / "4", 4),
        "cnn 5": make_bundle(folder / "5", 5),
        "other 2": named(folder / "other", "other", 2),
    }


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Machine]:
    with machine(tmp_path / "root") as made:
        yield made


def refusal(board: Machine, bundle: Bundle) -> str:
    board.begin(bundle.digest)
    board.send(bundle)
    answer = board.stage(bundle)
    board.ok("end")
    board.token = ""
    return str(answer.get("code", ""))


@pytest.mark.slow
def test_another_model_has_a_line_of_its_own(board: Machine, bundles: dict[str, Bundle]) -> None:
    five, other, four = bundles["cnn 5"], bundles["other 2"], bundles["cnn 4"]
    board.deploy(five)
    assert board.deploy(other)["state"] == "active", "its number is below that of another model"
    assert refusal(board, four) == "counter-back", "its own line is guarded all the same"
    # What came before is what was served before, whatever the numbers say.
    assert board.ok("rollback", soak_s=0)["release"] == five.digest
    again = board.refused("rollback", soak_s=0)
    assert again["code"] == "no-such-release"
    assert "--to" in again["hint"]
    assert "--downgrade" in again["hint"]
    assert board.deploy(other)["state"] == "active", "the last of a line may always come back"
    board.check_invariants()


@pytest.mark.slow
def test_a_named_downgrade_stands_in_the_history(
    board: Machine, bundles: dict[str, Bundle]
) -> None:
    four, five = bundles["cnn 4"], bundles["cnn 5"]
    board.deploy(five)
    assert refusal(board, four) == "counter-back"
    board.begin(four.digest)
    said = "5 misreads  the night shift"
    python, runtime = board.command[0], board.runtime.stem
    board.ok("stage", manifest=four.text, runtime=runtime, python=python, downgrade=said)
    assert board.refused("switch", release=four.digest, soak_s=0)["code"] == "counter-back"
    board.ok("switch", release=four.digest, soak_s=0, downgrade=said)
    board.ok("end")
    board.token = ""
    last = board.state["history"][-1]
    assert last["reason"] == "downgrade: 5 misreads the night shift"
    assert board.ok("log")["entries"][-1]["reason"] == last["reason"]
    assert board.state["lines"]["cnn"] == {"counter": 4, "release": four.digest}
    assert board.deploy(five)["state"] == "active", "forward again needs no reason"
    assert "reason" not in board.state["history"][-1]


@pytest.mark.slow
@pytest.mark.needs("ssh-keygen")
def test_a_downgrade_is_ordered_by_a_key(
    board: Machine, bundles: dict[str, Bundle], tmp_path: Path
) -> None:
    """Whoever kept an old bundle with its signature has no key for it."""
    four, five = bundles["cnn 4"], bundles["cnn 5"]
    board.deploy(five)
    ann, bob = make_key(tmp_path / "ann"), make_key(tmp_path / "bob")
    only_bundles = line_of(bob, "bob@den", 'namespaces="edgewright"')
    board.ok("trust", signers=line_of(ann) + only_bundles)
    board.begin(four.digest)
    board.send(four)
    lines, digest = lines_of(board.state), four.digest

    def staged(order: str) -> dict[str, object]:
        python, runtime = board.command[0], board.runtime.stem
        signed = signature_of(four.text.encode(), bob)
        words = {"downgrade": "why", "signature": signed, "order": order}
        return board.call("stage", manifest=four.text, runtime=runtime, python=python, **words)

    def order(key: Path, content: bytes) -> str:
        return signature_of(content, key, DOWNGRADES)

    wanted = order_of(lines, "cnn", digest, "why")
    assert staged("")["code"] == "unsigned"
    assert staged(order(bob, wanted))["code"] == "foreign-signature", "his line says bundles only"
    assert staged(signature_of(wanted, ann))["code"] == "foreign-signature", "of another purpose"
    for other in (
        order_of(lines, "cnn", digest, "another reason"),
        order_of(lines, "cnn", five.digest, "why"),
        order_of({}, "cnn", digest, "why"),
    ):
        assert staged(order(ann, other))["code"] == "foreign-signature"
    assert staged(order(ann, wanted))["event"] == "result"
    assert board.refused("switch", release=digest, soak_s=0, downgrade="why")["code"] == "unsigned"
    board.ok("switch", release=digest, soak_s=0, downgrade="why", order=order(ann, wanted))


@pytest.mark.slow
def test_a_purge_ends_the_line(board: Machine, bundles: dict[str, Bundle]) -> None:
    board.deploy(bundles["cnn 5"])
    board.ok("remove")
    assert refusal(board, bundles["cnn 4"]) == "counter-back", "what is removed keeps its line"
    runtime = board.runtime.read_bytes()
    board.ok("remove", purge=True)
    board.runtime.write_bytes(runtime)
    remove(board.layout.state)  # lost as well: the record says so, too
    assert board.ok("status")["lines"] == {}
    assert board.deploy(bundles["cnn 4"])["state"] == "active"


@pytest.mark.slow
def test_a_state_from_before_the_lines_is_taken_over(
    board: Machine, bundles: dict[str, Bundle]
) -> None:
    board.deploy(bundles["other 2"])
    board.deploy(bundles["cnn 5"])
    old = {key: value for key, value in board.state.items() if key != "lines"}
    board.layout.state.write_text(json.dumps(old))
    assert set(board.ok("status")["lines"]) == {"other", "cnn"}
    assert refusal(board, bundles["cnn 4"]) == "counter-back"
    # What an earlier runtime reads of the state is there as it was.
    assert set(old) <= set(board.state)
    assert board.state["counter"] == 5


def test_lines_of_a_history() -> None:
    history = [
        {"state": "active", "name": "a", "counter": 3, "release": "r3"},
        {"state": "failed", "name": "a", "counter": 9, "release": "r9"},
        {"state": "rolled back", "name": "a", "counter": 3, "release": "r3"},
        {"state": "active", "name": "a", "counter": 2, "release": "r2"},
        {"state": "active", "name": "b", "counter": 1, "release": "r1"},
    ]
    lines = lines_of({"history": history})
    assert {name: last.release for name, last in lines.items()} == {"a": "r2", "b": "r1"}
    assert not is_older(lines, "c", 0, "new")
    assert not is_older(lines, "a", 2, "r2"), "the release itself"
    assert is_older(lines, "a", 2, "another with its number")
    assert not is_older(lines, "a", 3, "r3")
    assert lines_of({"lines": {}, "history": history}) == {}, "a purge is not undone"


@pytest.mark.parametrize("text", ["x" * 501, "a\x1b]52;c;b", "a\x00b"])
def test_a_reason_that_cannot_stand_in_a_history(text: str) -> None:
    with pytest.raises(ReleaseError, match="printable"):
        reason_of(text)

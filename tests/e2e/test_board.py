"""A real board over SSH, from first contact to rollback, by the commands a user types."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy
import pytest
import tritonclient.http as triton

from tests.e2e.conftest import Ended, Studio
from tests.rigs.boards import Board, Network, make_key, public_key, shown

pytestmark = [pytest.mark.rig, pytest.mark.needs("sshd", "ip", "unshare", "ssh-keygen")]


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    with Network() as network, Board(network, tmp_path_factory.mktemp("board")) as board:
        yield board


def add(studio: Studio, board: Board, *more: str) -> Ended:
    return studio.run("target", "add", "roof", board.url, "--key-file", board.key_file, *more)


def test_first_contact_needs_a_person(studio: Studio, board: Board) -> None:
    key = shown(board.host_key)
    for more in ((), ("--accept-host-key", "SHA256:somethingelse")):
        ended = add(studio, board, *more)
        assert ended.code == 4
        assert key in ended.err
        assert "Traceback" not in ended.err
        assert [target["name"] for target in studio.ok("target", "list")] == ["local"]
    facts = add(studio, board, "--accept-host-key", key, "--json")
    assert facts.code == 0, facts.err
    wanted = {"name", "url", "arch", "os", "python", "runtimes", "memory_mb", "disk_free_mb"}
    assert wanted | {"accelerators", "services"} <= set(facts.json)
    assert facts.json["runtimes"] == {}, "the board was meant to have nothing but python3"


def test_a_changed_key_is_refused_with_both_fingerprints(
    studio: Studio, board: Board, tmp_path: Path
) -> None:
    from studio.api import TargetSpec
    from studio.registry import Registry

    make_key(tmp_path / "other")
    other = public_key(tmp_path / "other")
    registry = Registry.open(studio.home / "edgewright" / "data" / "registry")
    settings = {"key_file": str(board.key_file)}
    registry.add_target(TargetSpec("roof", board.url, other, settings))
    registry.close()
    ended = studio.run("target", "probe", "roof")
    assert ended.code == 4
    sentence = ended.err.splitlines()[0]
    assert shown(other) in sentence
    assert shown(board.host_key) in sentence


def test_deploy_call_update_and_take_back(
    studio: Studio, board: Board, digits: Path, tmp_path: Path
) -> None:
    small = tmp_path / "int8.onnx"
    assert add(studio, board, "--accept-host-key", shown(board.host_key)).code == 0
    studio.ok("quantize", digits / "digits.onnx", "--data", digits / "heldout.npz", "--out", small)
    on_roof = ("--target", "roof")

    plan = studio.ok("deploy", digits / "digits.onnx", *on_roof, "--dry-run")
    assert plan["state"] == "planned"
    to_network = (*on_roof, "--expose", "network")
    refused = studio.run("deploy", digits / "digits.onnx", *to_network)
    assert (refused.code, "would accept unauthenticated requests" in refused.err) == (4, True)
    first = studio.ok("deploy", digits / "digits.onnx", *to_network, "--allow-unauthenticated")
    assert first["bytes_sent"] > 10_000_000, "numpy and onnxruntime were to be sent"
    called = studio.ok("call", *on_roof, "--requests", "1000", "--data", digits / "heldout.npz")
    assert (called["answered"], called["failed"]) == (1000, 0)
    check_with_triton(f"{board.address}:{first['port']}")

    second = studio.ok("deploy", small, *on_roof)
    assert second["bytes_sent"] < 1_000_000, "only what the board lacks is sent"
    seen = studio.ok("monitor", *on_roof)
    assert (seen["health"], str(seen["version"])) == ("healthy", str(second["version"]))

    profile = studio.ok("profile", digits / "digits.onnx", small, *on_roof, "--seconds", "1")
    (verdict,) = profile["verdicts"]
    assert verdict["low"] <= verdict["ratio"] <= verdict["high"]

    back = studio.ok("rollback", *on_roof)
    assert (back["from"], back["to"]) == (second["version"], first["version"])
    assert studio.ok("releases", *on_roof)[0]["state"] == "serving"
    studio.ok("undeploy", *on_roof)
    ended = studio.run("call", *on_roof)
    assert (ended.code, "roof has no running release" in ended.err) == (1, True)


def check_with_triton(address: str) -> None:
    client = triton.InferenceServerClient(address)
    try:
        assert client.is_server_ready()
        (model,) = client.get_model_repository_index()
        image = numpy.zeros((2, 1, 8, 8), numpy.float32)
        answers = []
        for binary in (True, False):
            given = triton.InferInput("image", list(image.shape), "FP32")
            given.set_data_from_numpy(image, binary_data=binary)
            wanted = triton.InferRequestedOutput("logits", binary_data=binary)
            answer = client.infer(model["name"], [given], outputs=[wanted])
            answers.append(answer.as_numpy("logits"))
        assert answers[0].shape == (2, 10)
        numpy.testing.assert_allclose(answers[0], answers[1], rtol=1e-6)
    finally:
        client.close()

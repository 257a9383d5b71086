"""A board that everybody can reach: token, TLS and pictures, asked by curl over the network."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy
import pytest
from PIL import Image

from studio.datasets import Preprocess
from studio.datasets.images import read_picture
from studio.deployment.access import known_token
from studio.deployment.options import DeployOptions, TargetOptions
from studio.deployment.step import UndeployOptions
from studio.deployment.work import deploy, probe_target, undeploy
from studio.monitoring.endpoint.call import call
from studio.monitoring.endpoint.call_step import CallOptions
from studio.monitoring.step import MonitorOptions
from studio.monitoring.work import monitor
from studio.packages import Bundle
from tests.rigs.boards import Board, network
from tests.rigs.bundles import QuietJob, make_bundle
from tests.unit.runtime.serve.rig import run_model

pytestmark = [pytest.mark.rig, pytest.mark.slow]

ROOT = "/root/.edgewright"
PREPROCESS = """\
resize = "fit"
height = 16
width = 16
mean = [0.485, 0.456, 0.406]
std = [0.229, 0.224, 0.225]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pictures")


@pytest.fixture(scope="module")
def bundle(folder: Path) -> Bundle:
    """Of a model that takes pictures."""
    (folder / "preprocess.toml").write_text(PREPROCESS)
    return make_bundle(folder / "bundle", preprocess=folder / "preprocess.toml")


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    with network() as net, Board(net, tmp_path_factory.mktemp("board") / "b") as made:
        yield made


class Curl:
    """The program, on this computer."""

    def __init__(self, board: Board, port: int, certificate: str) -> None:
        self._base = f"https://{board.address}:{port}"
        self._certificate = certificate

    def __call__(self, path: str, *words: str, token: str = "") -> tuple[int, str]:
        """Status (0: no answer came) and body; the board's certificate is the only authority."""
        shown = ["--header", f"Authorization: Bearer {token}"] if token else []
        done = subprocess.run(
            [
                *("curl", "--silent", "--max-time", "30", "--cacert", self._certificate),
                *(*shown, "--write-out", "\n%{http_code}", *words, self._base + path),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        body, _, status = done.stdout.rpartition("\n")
        return int(status), body


def test_a_picture_by_curl_with_token_and_tls(board: Board, bundle: Bundle, folder: Path) -> None:
    target, job = board.spec(), QuietJob(folder / "job")
    facts = probe_target(TargetOptions(target=target), job)
    assert "pillow" not in facts["runtimes"], "the board must lack what is to be sent"
    options = DeployOptions(
        bundle=bundle.folder,
        target=target,
        soak_s=0.2,
        expose="network",
        token="generate",
        tls="self-signed",
    )
    done = deploy(options, job)
    assert done.endpoint == f"https://{board.address}:8477"
    rows = {row.name: row for row in done.steps}
    assert "PIL" in rows["environment"].text
    token = board.run("cat", f"{ROOT}/access/token").strip()
    assert known_token(target, ROOT) == token
    modes = board.run("stat", "-c", "%a", f"{ROOT}/access", f"{ROOT}/access/token")
    assert modes.split() == ["700", "600"]

    curl = Curl(board, done.port or 0, done.certificate_file or "")
    assert "PRIVATE KEY" not in Path(done.certificate_file or "").read_text()
    shown = f'-H "Authorization: Bearer $(head -n 1 {ROOT}/access/token)"'
    there = f"--cacert {ROOT}/access/tls.pem {shown}"
    said = board.run("sh", "-c", f"curl -s {there} https://127.0.0.1:8477/v2/models/cnn")
    assert json.loads(said)["name"] == "cnn"

    pixels = numpy.random.default_rng(5).integers(0, 256, (40, 60, 3), numpy.uint8)
    for name in ("photo.jpg", "photo.png"):
        Image.fromarray(pixels).resize((120, 80)).save(folder / name)
        status, body = curl(
            "/edgewright/models/cnn/image", "--data-binary", f"@{folder / name}", token=token
        )
        assert status == 200, body
        (output,) = json.loads(body)["outputs"]
        prepared = Preprocess.from_toml(folder / "preprocess.toml").apply(
            read_picture(folder / name)
        )
        (wanted,) = run_model(bundle.folder / "model.onnx", {"image": prepared})
        found = numpy.asarray(output["data"], "float32").reshape(output["shape"])
        numpy.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)

    for given in ("", token[:-1], token + "x"):
        assert curl("/v2/models/cnn", token=given)[0] == 401
    assert curl("/v2/health/live")[0] == 200
    assert curl("/v2", "--tls-max", "1.1", "--ciphers", "ALL:@SECLEVEL=0", token=token)[0] == 0
    plain = subprocess.run(
        ["curl", "--silent", "--max-time", "10", f"http://{board.address}:8477/v2"],
        capture_output=True,
        check=False,
    )
    assert (plain.returncode != 0, plain.stdout) == (True, b"")

    called = call(CallOptions(target, requests=20, connections=2), job)
    assert (called.answered, called.failed) == (20, 0)
    assert monitor(MonitorOptions(target), job).health == "healthy"
    undeploy(UndeployOptions(target=target, purge=True), job)
    assert known_token(target, ROOT) == ""
    assert not (board.home / ".edgewright" / "access").exists()


def test_a_board_that_can_make_no_certificate(board: Board, bundle: Bundle, folder: Path) -> None:
    """It is made here, and sent; the studio talks to the board as to any other."""
    library = "/usr/lib/python3/dist-packages/cryptography"
    board.run("mount", "--bind", "/dev/null", "/usr/bin/openssl")
    board.run("sh", "-c", f"[ ! -d {library} ] || mount -t tmpfs none {library}")
    try:
        target, job = board.spec(), QuietJob(folder / "other")
        options = DeployOptions(bundle=bundle.folder, target=target, soak_s=0.2)
        done = deploy(replace(options, tls="self-signed"), job)
        rows = {row.name: row.text for row in done.steps}
        assert rows["access"].endswith("made here as the target lacks openssl")
        (answer,) = (board.home / ".edgewright" / "access").iterdir()
        assert answer.stat().st_mode & 0o777 == 0o600
        assert call(CallOptions(board.spec(), requests=5), job).failed == 0
        again = deploy(options, job)
        assert again.fingerprint == done.fingerprint
        undeploy(UndeployOptions(target=target, purge=True), job)
    finally:
        board.run(
            "sh", "-c", f"umount /usr/bin/openssl; ! mountpoint -q {library} || umount {library}"
        )

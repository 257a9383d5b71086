"""Artefacts by ``studio package`` for Mender's own tools: read, verified, installed, rolled back.

The client is Debian's ``mender-client`` without a server. The tests go on from each other, in
order.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.packages import Bundle
from studio.settings import resource
from tests.e2e.conftest import Studio
from tests.rigs.bundles import make_bundle
from tests.rigs.pull.mender_board import ENVIRONMENT, mender_artefact
from tests.rigs.pull.mender_client import PROGRAMS, MenderClient
from tests.unit.runtime.pull.test_client import with_another_model

pytestmark = [pytest.mark.rig, pytest.mark.needs(*PROGRAMS, "openssl", "ssh-keygen")]

DIGITS = resource("samples", "digits")
DEVICE = "board-a"


class Keys:
    """Keys of both kinds for artefacts, and one for bundles."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for kind, option in (("ec", "ec_paramgen_curve:P-256"), ("rsa", "rsa_keygen_bits:3072")):
            private, public = self.pair(kind)
            words = ["openssl", "genpkey", "-algorithm", kind.upper(), "-pkeyopt", option]
            _run(*words, "-out", str(private))
            _run("openssl", "pkey", "-in", str(private), "-pubout", "-out", str(public))
        self.bundle = folder / "ann"
        _run(
            "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ann@desk", "-f", str(self.bundle)
        )

    def pair(self, kind: str) -> tuple[Path, Path]:
        """Private and public key."""
        return self.folder / f"{kind}.key", self.folder / f"{kind}.pub"


class MenderBoard:
    """A folder of releases that the studio has set up, and Mender's client on it."""

    def __init__(self, studio: Studio, folder: Path, key: Path) -> None:
        self.root = folder / "releases"
        studio.ok("target", "add", "roof", "local:", "--root", self.root)
        words = ("target", "pull", "--target", "roof", "--mender", "--soak-s", "0.5")
        self.set_up = studio.ok(*words)
        self.client = MenderClient(folder / "mender", Path(self.set_up["module"]), key)

    @property
    def current(self) -> str:
        """Digest of the release that is served; empty without one."""
        place = self.root / "state.json"
        return str(json.loads(place.read_bytes())["current"]) if place.exists() else ""


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def board(
    studio: Studio, keys: Keys, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MenderBoard]:
    studio.environment["EDGEWRIGHT_SERVICE"] = ENVIRONMENT["EDGEWRIGHT_SERVICE"]
    one = MenderBoard(studio, tmp_path_factory.mktemp("board"), keys.pair("ec")[1])
    studio.ok("trust", "--target", "roof", "--signers", keys.bundle.with_suffix(".pub"))
    yield one
    studio.run("undeploy", "--target", "roof")


@pytest.fixture(scope="module")
def made(studio: Studio, keys: Keys) -> dict[str, Any]:
    """Version 1 of digits as a signed artefact of a signed bundle."""
    return packaged(studio, keys, "first")


def packaged(studio: Studio, keys: Keys, name: str, kind: str = "ec", *more: str) -> dict[str, Any]:
    """What ``studio package`` made of digits."""
    words = ("package", DIGITS / "digits.onnx", "--data", DIGITS / "calibration.npz")
    place = ("--out", studio.home / name, "--as", "mender", "--sign", keys.bundle)
    options = (f"device_type={DEVICE}", f"key={keys.pair(kind)[0]}")
    choices = [word for one in options for word in ("--set", one)]
    found: dict[str, Any] = studio.ok(*words, *place, *choices, *more)["made"]
    return found


@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_mender_artifact_reads_and_verifies(
    studio: Studio, keys: Keys, made: dict[str, Any], kind: str
) -> None:
    if kind == "rsa":
        made = packaged(studio, keys, "read", kind)
    public = str(keys.pair(kind)[1])
    assert "validated successfully" in _run(
        "mender-artifact", "validate", "-k", public, made["path"]
    )
    text = _run("mender-artifact", "read", "-k", public, made["path"])
    assert "signed and verified correctly" in text
    for word in (f"Name: {made['name']}", f"[{DEVICE}]", "edgewright", made["release"]):
        assert word in text
    other = str(keys.pair("rsa" if kind == "ec" else "ec")[1])
    words = ["mender-artifact", "validate", "-k", other, made["path"]]
    assert subprocess.run(words, capture_output=True).returncode != 0


def test_mender_artifact_detects_a_changed_byte(
    made: dict[str, Any], keys: Keys, tmp_path: Path
) -> None:
    content = bytearray(Path(made["path"]).read_bytes())
    content[content.index(b"data/0000.tar.gz", 4096) + 1024] ^= 1
    changed = tmp_path / "changed.mender"
    changed.write_bytes(content)
    words = ["mender-artifact", "validate", "-k", str(keys.pair("ec")[1]), str(changed)]
    assert subprocess.run(words, capture_output=True).returncode != 0


def test_the_client_installs_and_keeps_a_release(board: MenderBoard, made: dict[str, Any]) -> None:
    assert board.set_up["client"] == "mender"
    done = board.client.run("install", made["path"])
    assert done.returncode == 0, done.stderr
    assert "authenticated digital signature" in done.stderr
    assert board.current == made["release"]
    kept = board.client.run("commit")
    assert kept.returncode == 0, kept.stderr
    assert board.client.name == made["name"]
    provides = board.client.run("show-provides").stdout
    assert f"edgewright.release={made['release']}" in provides


def test_a_release_that_is_not_wanted_gives_way_to_the_one_before(
    board: MenderBoard, studio: Studio, keys: Keys, made: dict[str, Any]
) -> None:
    second = packaged(studio, keys, "second", "ec", "--samples", "3")
    assert second["release"] != made["release"]
    assert board.client.run("install", second["path"]).returncode == 0
    assert board.current == second["release"]
    assert board.client.run("rollback").returncode == 0
    assert board.current == made["release"]
    assert board.client.name == made["name"]


def test_an_older_release_is_refused(
    board: MenderBoard, studio: Studio, keys: Keys, made: dict[str, Any]
) -> None:
    third = packaged(studio, keys, "third", "ec", "--samples", "4")
    assert board.client.run("install", third["path"]).returncode == 0
    assert board.client.run("commit").returncode == 0
    done = board.client.run("install", made["path"])
    assert done.returncode != 0
    assert "older than the last release" in done.stdout + done.stderr
    assert board.current == third["release"]
    assert board.client.name == third["name"]


def test_a_key_for_artefacts_alone_installs_nothing(
    board: MenderBoard, keys: Keys, bundles: list[Bundle], tmp_path: Path
) -> None:
    """A bundle that no signer of this board has signed, in an artefact with the right key."""
    before = board.current
    artefact = mender_artefact(bundles[1], tmp_path, key=keys.pair("ec")[0])
    done = board.client.run("install", artefact)
    assert done.returncode != 0
    assert "signed" in done.stdout + done.stderr
    assert board.current == before


def test_an_artefact_with_a_foreign_signature_or_none_reaches_no_module(
    board: MenderBoard, keys: Keys, bundles: list[Bundle], tmp_path: Path
) -> None:
    before = board.current
    for name, key in (("none", None), ("foreign", keys.pair("rsa")[0])):
        artefact = mender_artefact(bundles[1], tmp_path / name, key=key)
        assert board.client.run("install", artefact).returncode != 0
    other = mender_artefact(
        bundles[1], tmp_path / "other", key=keys.pair("ec")[0], device_type="board-b"
    )
    assert board.client.run("install", other).returncode != 0
    assert board.current == before


def test_a_worse_release_is_rolled_back_by_the_client(
    studio: Studio, keys: Keys, bundles: list[Bundle], tmp_path: Path
) -> None:
    """On a board of its own that takes unsigned bundles: the golden samples decide."""
    root = tmp_path / "releases"
    studio.ok("target", "add", "attic", "local:", "--root", root)
    words = ("target", "pull", "--target", "attic", "--mender", "--unsigned", "--soak-s", "0.5")
    module = Path(studio.ok(*words)["module"])
    client = MenderClient(tmp_path / "mender", module)
    try:
        assert client.run("install", mender_artefact(bundles[0], tmp_path / "1")).returncode == 0
        assert client.run("commit").returncode == 0
        worse = with_another_model(bundles[1], bundles[0], tmp_path / "bad")
        done = client.run("install", mender_artefact(worse, tmp_path / "2"))
        assert done.returncode != 0
        assert "golden samples differ" in done.stdout + done.stderr
        state = json.loads((root / "state.json").read_bytes())
        assert state["current"] == bundles[0].digest
    finally:
        studio.run("undeploy", "--target", "attic")


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> list[Bundle]:
    """Versions 1 and 2 of a small model, unsigned."""
    folder = tmp_path_factory.mktemp("bundles")
    return [make_bundle(folder / str(n), n) for n in (1, 2)]


def _run(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout

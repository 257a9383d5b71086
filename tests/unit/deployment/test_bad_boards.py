"""Boards on which something is wrong, and bundles that were altered: one sentence each."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.api import Refused, StudioError, TargetError
from studio.deployment.options import DeployOptions, TargetOptions
from studio.deployment.step import StatusOptions, TrustOptions
from studio.deployment.survey import poll
from studio.deployment.trust import trust
from studio.deployment.work import deploy, probe_target
from studio.packages import Bundle
from tests.rigs.boards import Board, Network, network
from tests.rigs.bundles import make_bundle
from tests.unit.deployment.test_board import ROOT, Studio, rows
from tests.unit.runtime.release.intake.test_signature import make_key

pytestmark = [pytest.mark.rig, pytest.mark.slow]


@pytest.fixture(scope="module")
def net() -> Iterator[Network]:
    with network() as made:
        yield made


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> list[Bundle]:
    """Versions 1 and 2."""
    folder = tmp_path_factory.mktemp("bundles")
    return [make_bundle(folder / str(version), version) for version in (1, 2)]


def sentence(error: StudioError) -> str:
    """What the user reads: one sentence, and nothing of our insides."""
    assert "\n" not in error.message
    assert error.message.endswith(".")
    assert "Traceback" not in error.message
    assert "Error(" not in error.message
    return error.message


def test_a_file_system_that_is_read_only(
    net: Network, bundles: list[Bundle], tmp_path: Path
) -> None:
    with Board(net, tmp_path / "b", disk_mb=300) as board:
        board.run("mount", "-o", "remount,ro", "/root")
        studio = Studio(tmp_path / "jobs", board.spec())
        with pytest.raises(TargetError) as caught:
            studio.deploy(bundles[0])
        assert "Read-only file system" in sentence(caught.value)
        board.run("mount", "-o", "remount,rw", "/root")
        assert studio.deploy(bundles[0])["state"] == "serving"


def test_a_home_without_the_right_to_run_code(
    net: Network, bundles: list[Bundle], tmp_path: Path
) -> None:
    with Board(net, tmp_path / "b", disk_mb=300) as board:
        board.run("mount", "-o", "remount,noexec", "/root")
        studio = Studio(tmp_path / "jobs", board.spec())
        with pytest.raises(TargetError) as caught:
            studio.deploy(bundles[0])
        assert "does not let code be run (noexec)" in sentence(caught.value)
        assert "Choose another folder" in caught.value.hint
        assert board.run("ls", f"{ROOT}/env") == ""


def test_without_systemd_a_foreign_file_an_altered_byte_and_signers(
    net: Network, bundles: list[Bundle], tmp_path: Path
) -> None:
    """One board for all of it: to install the runtime there takes longest."""
    with Board(net, tmp_path / "b") as board:
        studio = Studio(tmp_path / "jobs", board.spec())
        assert (
            "systemd"
            not in probe_target(TargetOptions(target=studio.target), studio.job())["services"]
        )
        first = studio.deploy(bundles[0])
        assert "kept until a restart of the target" in rows(first)["switch"]["text"]

        release = board.home / ".edgewright" / "releases" / bundles[0].digest
        (release / "golden" / "foreign").write_text("who put this here?")
        labels = next(path for path in release.rglob("*.npz"))
        content = bytearray(labels.read_bytes())
        content[40] ^= 1
        labels.unlink()
        labels.write_bytes(content)
        assert studio.deploy(bundles[0])["state"] == "serving"
        assert not (release / "golden" / "foreign").exists()
        assert bytes(content) != labels.read_bytes()

        altered = tmp_path / "altered"
        shutil.copytree(bundles[1].folder, altered)
        model = altered / "model.onnx"
        model.chmod(0o644)
        content = bytearray(model.read_bytes())
        content[len(content) // 2] ^= 1
        model.write_bytes(content)
        with pytest.raises(StudioError) as broken:
            deploy(DeployOptions(bundle=altered, target=studio.target), studio.job())
        assert "model.onnx is not what its manifest says" in sentence(broken.value)

        key = make_key(tmp_path / "ann")
        options = TrustOptions(target=studio.target, signers=key.with_suffix(".pub"))
        assert trust(options, studio.job()).signers == ("ann",)
        (row,) = poll(StatusOptions((studio.target,), parallel=1), studio.job()).targets
        assert row.signers is not None
        (signer,) = row.signers.keys
        assert (signer.name, signer.kind) == ("ann", "ssh-ed25519")
        assert signer.since == row.signers.changed != ""
        with pytest.raises(Refused) as unsigned:
            studio.deploy(bundles[1])
        assert "requires signed releases" in sentence(unsigned.value)
        with pytest.raises(Refused) as foreign:
            studio.deploy(bundles[1], sign=str(make_key(tmp_path / "eve")))
        assert "no allowed signer has signed" in sentence(foreign.value)
        assert studio.releases()["releases"][0]["version"] == 1
        done = studio.deploy(bundles[1], sign=str(key))
        assert "signed by ann" in rows(done)["stage"]["text"]


def test_a_board_that_cannot_be_written_to_by_this_user(
    net: Network, bundles: list[Bundle], tmp_path: Path
) -> None:
    with Board(net, tmp_path / "b") as board:
        spec = board.spec()
        spec = type(spec)(
            spec.name, spec.url, spec.host_key, {**spec.settings, "root": "/etc/hostname/x"}
        )
        with pytest.raises(TargetError) as caught:
            Studio(tmp_path / "jobs", spec).deploy(bundles[0])
        assert "Cannot create the folder" in sentence(caught.value)

"""Pulls that want a signature."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any, cast

import pytest

from studio.api import InvalidData, ModelVersion, Refused, RegistrySession
from studio.external_registries.pull import fetch
from studio.packages.signing import signature_of

VERSION = ModelVersion("digits", "3")


class _Server:
    """A registry that hands out a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def pull(self, version: ModelVersion, folder: Path, progress: Any) -> Path:
        return self._folder


class _Job:
    """The folder of a job."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder


def key(folder: Path, name: str) -> str:
    """Make a key; the line that allows it."""
    make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
    subprocess.run(make, check=True, timeout=30)
    words = (folder / f"{name}.pub").read_text().split()
    return f"{name} {words[0]} {words[1]}\n"


def pull(bundle: Path, signers: Path, tmp_path: Path) -> None:
    server = cast(RegistrySession, _Server(bundle))
    fetch(server, VERSION, (), cast(Any, _Job(tmp_path / "job")), signers)


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="needs ssh-keygen")
@pytest.mark.parametrize("signed", ["", "bob", "altered"])
def test_what_no_allowed_signer_has_signed(tmp_path: Path, signed: str) -> None:
    signers = tmp_path / "signers"
    signers.write_text(key(tmp_path, "ann"))
    key(tmp_path, "bob")
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    (bundle / "manifest.json").write_text("{}\n")
    if signed:
        by = "bob" if signed == "bob" else "ann"
        (bundle / "manifest.json.sig").write_text(signature_of(b"{}\n", tmp_path / by))
    if signed == "altered":
        (bundle / "manifest.json").write_text("{ }\n")
    with pytest.raises(Refused, match="has no signature of an allowed signer"):
        pull(bundle, signers, tmp_path)


def test_a_model_without_a_bundle_is_not_signed(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_text("")
    (tmp_path / "signers").write_text("")
    with pytest.raises(Refused, match="has no signature of an allowed signer"):
        pull(tmp_path / "model.onnx", tmp_path / "signers", tmp_path)


def test_a_missing_file_of_signers(tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match="does not exist"):
        pull(tmp_path, tmp_path / "signers", tmp_path)

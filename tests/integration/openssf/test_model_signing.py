"""OpenSSF's own ``model_signing`` verifies what the studio signs, and finds what was altered."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from studio.packages import Bundle
from tests.benchmarks.serve import environments
from tests.e2e.conftest import Studio
from tests.rigs.bundles import make_bundle

HERE = Path(__file__).parent
CURVES = ["prime256v1", "secp384r1", "secp521r1"]


@pytest.fixture(scope="module")
def python(rigs: Path) -> Path:
    """The interpreter of an environment with the verifier (94 MB, kept)."""
    return environments.install("model_signing", rigs, HERE) / "bin" / "python"


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return make_bundle(tmp_path)


def keys(folder: Path, curve: str) -> tuple[Path, Path]:
    """A private key and its public half."""
    private, public = folder / "signing.pem", folder / "signing.pub"
    for words in (
        ["ecparam", "-name", curve, "-genkey", "-noout", "-out", str(private)],
        ["ec", "-in", str(private), "-pubout", "-out", str(public)],
    ):
        subprocess.run(["openssl", *words], check=True, capture_output=True, timeout=60)
    return private, public


def verdict(python: Path, folder: Path, signature: Path, public: Path) -> tuple[bool, str]:
    words = ["-m", "model_signing", "verify", "key", str(folder)]
    words += ["--signature", str(signature), "--public_key", str(public)]
    done = subprocess.run(
        [str(python), *words], capture_output=True, text=True, check=False, timeout=120
    )
    return done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("curve", CURVES)
def test_their_verifier_takes_what_the_command_signs(
    python: Path, bundle: Bundle, studio: Studio, tmp_path: Path, curve: str
) -> None:
    private, public = keys(tmp_path, curve)
    done = studio.ok("sign", str(bundle.folder), "--openssf", str(private))
    signature = Path(done["openssf"])
    assert verdict(python, bundle.folder, signature, public) == (True, "Verification succeeded\n")


@pytest.fixture
def signed(bundle: Bundle, studio: Studio, tmp_path: Path) -> tuple[Path, Path]:
    """A signature of the bundle, and the public half of its key."""
    private, public = keys(tmp_path, CURVES[0])
    out = tmp_path / "out.sig"
    studio.ok("sign", str(bundle.folder), "--openssf", str(private), "--out", str(out))
    return out, public


def test_it_finds_what_was_altered_added_or_taken_away(
    python: Path, bundle: Bundle, signed: tuple[Path, Path], tmp_path: Path
) -> None:

    def after(change: str) -> tuple[bool, str]:
        copy = tmp_path / change / bundle.folder.name
        shutil.copytree(bundle.folder, copy)
        model = copy / "model.onnx"
        model.chmod(0o644)
        if change == "altered":
            content = bytearray(model.read_bytes())
            content[len(content) // 2] ^= 1
            model.write_bytes(content)
        elif change == "added":
            (copy / "golden" / "foreign").write_text("who put this here?")
        elif change == "taken":
            model.unlink()
        elif change == "signed":  # for boards, later
            (copy / "manifest.json.sig").write_text("an SSH signature")
        return verdict(python, copy, *signed)

    assert after("signed")[0]
    for change, wanted in {
        "altered": "Hash mismatch for 'model.onnx'",
        "added": "golden/foreign",
        "taken": "model.onnx",
    }.items():
        passed, said = after(change)
        assert not passed, change
        assert wanted in said.replace("\\", "")


def test_another_key_is_another_signer(
    python: Path, bundle: Bundle, signed: tuple[Path, Path], tmp_path: Path
) -> None:
    (tmp_path / "eve").mkdir()
    _, other = keys(tmp_path / "eve", CURVES[0])
    passed, said = verdict(python, bundle.folder, signed[0], other)
    assert not passed
    assert "Key mismatch" in said

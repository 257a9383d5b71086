"""Mender artefacts: their members, digests and signatures, and what is refused."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from studio.api import Parcel, StudioError, UsageError
from studio_mender.packager import MenderPackager
from tests.plugins.test_studio_hawkbit import parcel
from tests.rigs.bundles import QuietJob

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


def built(folder: Path, one: Parcel | None = None, **options: Any) -> dict[str, Any]:
    given = {"device_type": "board-a", "artefact_name": "", "key": None, **options}
    made = MenderPackager().build(
        one or parcel(folder), folder / "made", given, QuietJob(folder / "job")
    )
    return dict(made)


def written(key: PrivateKey, folder: Path) -> Path:
    path = folder / "mender.key"
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, *form))
    return path


def members(path: Path) -> dict[str, bytes]:
    """The members of an artefact in their order."""
    return _members(path.read_bytes())


def _members(content: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        found = {one.name: archive.extractfile(one) for one in archive}
        return {name: one.read() for name, one in found.items() if one is not None}


def test_the_manifest_names_what_follows(tmp_path: Path) -> None:
    one = parcel(tmp_path)
    found = members(Path(built(tmp_path, one)["path"]))
    assert list(found) == ["version", "manifest", "header.tar.gz", "data/0000.tar.gz"]
    lines = [line.split("  ") for line in found["manifest"].decode().splitlines()]
    data = _members(found["data/0000.tar.gz"])
    content = {f"data/0000/{name}": text for name, text in data.items()}
    content.update({name: found[name] for name in ("version", "header.tar.gz")})
    digests = {name: hashlib.sha256(text).hexdigest() for name, text in content.items()}
    assert {name: digest for digest, name in lines} == digests
    assert data == {name: file.read_bytes() for name, file in one.members.items()}


def test_the_header_names_the_module_the_boards_and_the_release(tmp_path: Path) -> None:
    one = parcel(tmp_path)
    made = built(tmp_path, one, device_type="board-a, board-b,board-a", artefact_name="digits-7")
    header = _members(members(Path(made["path"]))["header.tar.gz"])
    assert list(header) == ["header-info", "headers/0000/type-info", "headers/0000/meta-data"]
    info, kind = (json.loads(header[name]) for name in list(header)[:2])
    assert info["payloads"] == [{"type": "edgewright"}]
    assert info["artifact_provides"] == {"artifact_name": "digits-7"}
    assert info["artifact_depends"] == {"device_type": ["board-a", "board-b"]}
    assert kind["artifact_provides"]["edgewright.release"] == one.digest
    assert kind["clears_artifact_provides"] == ["edgewright.*"]
    assert Path(made["path"]).name == "digits-7.mender"


def test_the_same_bundle_gives_the_same_bytes(tmp_path: Path) -> None:
    one = parcel(tmp_path)
    first = Path(built(tmp_path, one)["path"]).read_bytes()
    assert Path(built(tmp_path, one)["path"]).read_bytes() == first
    (made,) = (tmp_path / "made").iterdir()
    assert made.name == built(tmp_path, one)["name"] + ".mender"


def test_an_ec_key_signs_with_two_numbers_of_32_bytes(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    found = members(Path(built(tmp_path, key=written(key, tmp_path))["path"]))
    assert list(found)[:3] == ["version", "manifest", "manifest.sig"]
    numbers = base64.b64decode(found["manifest.sig"], validate=True)
    assert len(numbers) == 64
    first, second = (int.from_bytes(part, "big") for part in (numbers[:32], numbers[32:]))
    signature = encode_dss_signature(first, second)
    key.public_key().verify(signature, found["manifest"], ec.ECDSA(hashes.SHA256()))


def test_an_rsa_key_signs_with_pkcs1(tmp_path: Path) -> None:
    key = rsa.generate_private_key(65537, 2048)
    found = members(Path(built(tmp_path, key=written(key, tmp_path))["path"]))
    signature = base64.b64decode(found["manifest.sig"], validate=True)
    key.public_key().verify(signature, found["manifest"], padding.PKCS1v15(), hashes.SHA256())


@pytest.mark.parametrize(
    "key", [ec.generate_private_key(ec.SECP384R1()), ed25519.Ed25519PrivateKey.generate()]
)
def test_keys_that_mender_does_not_know_are_refused(tmp_path: Path, key: PrivateKey) -> None:
    with pytest.raises(UsageError, match="cannot sign a Mender artefact"):
        built(tmp_path, key=written(key, tmp_path))
    assert not (tmp_path / "made").exists()


def test_a_key_that_is_none_is_a_sentence(tmp_path: Path) -> None:
    one = parcel(tmp_path)
    (tmp_path / "text").write_text("nothing")
    with pytest.raises(UsageError, match="cannot sign"):
        built(tmp_path, one, key=tmp_path / "text")
    with pytest.raises(StudioError, match="cannot be read"):
        built(tmp_path, one, key=tmp_path / "none")


@pytest.mark.parametrize("types", ["", "a,,b", "a b", "../x", 'a"', "-x", "x" * 101])
def test_types_that_no_board_has_are_refused(tmp_path: Path, types: str) -> None:
    with pytest.raises(UsageError, match="Invalid type of board"):
        built(tmp_path, device_type=types)


@pytest.mark.parametrize("name", ["a b", "../x", "/x", ".x", "a\nb", "x" * 201])
def test_names_that_are_no_plain_words_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="Invalid name of an artefact"):
        built(tmp_path, artefact_name=name)


@pytest.mark.parametrize("name", ["../../x", "a b\n", "é" * 300, "...", "$(reboot)", "--help"])
def test_any_name_of_a_model_gives_a_plain_file(tmp_path: Path, name: str) -> None:
    one = parcel(tmp_path)
    made = built(tmp_path, replace(one, manifest={**one.manifest, "name": name}))
    path = Path(made["path"])
    assert path.parent == tmp_path / "made"
    assert set(path.name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-")
    assert path.name[0].isalnum()

"""Artefacts for SWUpdate: their members, their signature, and what is refused."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from studio.api import UsageError
from studio_hawkbit.container import name_in, name_of
from studio_hawkbit.swupdate import write_for_swupdate
from tests.plugins.test_studio_hawkbit import parcel

ROOT = "/var/lib/edgewright"


def signer(folder: Path) -> tuple[Path, Path]:
    """A key and its certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "fleet")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name)
    builder = builder.public_key(key.public_key()).serial_number(7)
    builder = builder.not_valid_before(now).not_valid_after(now + timedelta(days=1))
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    paths = folder / "fleet.key", folder / "fleet.crt"
    paths[0].write_bytes(key.private_bytes(serialization.Encoding.PEM, *form))
    made = builder.sign(key, hashes.SHA256())
    paths[1].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return paths


def written(folder: Path, root: str = ROOT, **more: Any) -> Path:
    path = folder / "release.swu"
    given = {"hardware": "default", "order": b"", "root": root, **more}
    if "signer" not in given:
        given["signer"] = signer(folder)
    write_for_swupdate(parcel(folder), path, **given)
    return path


def unpacked(path: Path) -> Path:
    """The members as files, by Debian's own cpio."""
    place = path.parent / "unpacked"
    place.mkdir()
    with path.open("rb") as file:
        subprocess.run(["cpio", "-id", "--quiet"], stdin=file, cwd=place, check=True)
    return place


@pytest.mark.needs("cpio", "openssl")
def test_the_description_is_signed_and_names_both_members(tmp_path: Path) -> None:
    place = unpacked(written(tmp_path))
    names = {"sw-description", "sw-description.sig", "release.swu", "hand-over.sh"}
    assert {one.name for one in place.iterdir()} == names
    words = ["openssl", "cms", "-verify", "-inform", "DER", "-binary", "-in", "sw-description.sig"]
    more = ["-content", "sw-description", "-CAfile", str(tmp_path / "fleet.crt"), "-out", "text"]
    subprocess.run([*words, *more, "-purpose", "any"], cwd=place, check=True, capture_output=True)
    text = (place / "sw-description").read_text()
    for name in ("release.swu", "hand-over.sh"):
        digest = subprocess.run(
            ["sha256sum", name], cwd=place, check=True, capture_output=True, text=True
        ).stdout.split()[0]
        assert digest in text
    assert f"--root {ROOT} {ROOT}/pull/incoming.swu" in (place / "hand-over.sh").read_text()


def test_both_artefacts_of_a_release_have_names_of_their_own(tmp_path: Path) -> None:
    one = parcel(tmp_path)
    names = name_of(one), name_of(one, swupdate=True)
    assert names[0].file != names[1].file
    assert name_in(names[1].file) == names[1]
    assert names[0].text == names[1].text


@pytest.mark.parametrize("root", ["", "relative", "/a b", "/a;reboot", "/a/../b", '/a"', "/$(x)"])
def test_a_folder_that_could_be_a_command_is_refused(tmp_path: Path, root: str) -> None:
    with pytest.raises(UsageError, match="no folder of releases"):
        written(tmp_path, root)


def test_a_key_that_is_none_is_a_sentence(tmp_path: Path) -> None:
    key, certificate = signer(tmp_path)
    key.write_text("nothing")
    with pytest.raises(UsageError, match="cannot sign"):
        written(tmp_path, signer=(key, certificate))

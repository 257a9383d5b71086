"""Signed releases: made here and verified by OpenSSH, made by OpenSSH and admitted by a board."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from studio.api import StudioError
from studio.packages import Bundle
from studio.packages.signing import signature_of, write_signature
from studio.runtime.shared.chained_log import Journal
from tests.rigs.bundles import make_bundle
from tests.unit.runtime.release.machine import Machine, machine

pytestmark = pytest.mark.needs("ssh-keygen")

KINDS = {"ed25519": [], "ecdsa": ["-b", "256"], "rsa": ["-b", "2048"]}


def make_key(path: Path, kind: str = "ed25519", passphrase: str = "") -> Path:
    command = ["ssh-keygen", "-q", "-t", kind, *KINDS[kind], "-N", passphrase, "-C", "ann"]
    subprocess.run([*command, "-f", str(path)], check=True, timeout=60)
    return path


def line_of(key: Path, name: str = "ann@desk", options: str = "") -> str:
    """A line of allowed signers."""
    kind, public, *_ = key.with_suffix(".pub").read_text().split()
    return f"{name} {options}{' ' if options else ''}{kind} {public}\n"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make_bundle(tmp_path_factory.mktemp("bundle"), 1, samples=1)


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Machine]:
    with machine(tmp_path / "root") as made:
        yield made


def stage(board: Machine, bundle: Bundle, signature: str) -> dict[str, object]:
    board.begin(bundle.digest)
    board.send(bundle)
    words = {"runtime": board.runtime.stem, "python": "/usr/bin/python3"}
    return board.call("stage", manifest=bundle.text, signature=signature, **words)


@pytest.mark.parametrize("kind", KINDS)
def test_plain_openssh_verifies_what_the_studio_signs(
    bundle: Bundle, tmp_path: Path, kind: str
) -> None:
    key = make_key(tmp_path / "key", kind)
    (tmp_path / "signature").write_text(signature_of(bundle.text.encode(), key))
    (tmp_path / "allowed").write_text(line_of(key))
    command = ["ssh-keygen", "-Y", "verify", "-n", "edgewright", "-I", "ann@desk"]
    command += ["-f", str(tmp_path / "allowed"), "-s", str(tmp_path / "signature")]
    for content, good in ((bundle.text, True), (bundle.text + " ", False)):
        done = subprocess.run(command, input=content.encode(), capture_output=True, check=False)
        assert (done.returncode == 0) == good, done.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_a_board_admits_what_openssh_has_signed(
    board: Machine, bundle: Bundle, tmp_path: Path, kind: str
) -> None:
    key = make_key(tmp_path / "key", kind)
    manifest = tmp_path / "manifest.json"
    manifest.write_text(bundle.text)
    command = ["ssh-keygen", "-q", "-Y", "sign", "-n", "edgewright", "-f", str(key), str(manifest)]
    subprocess.run(command, check=True, timeout=60, capture_output=True)
    assert board.ok("trust", signers=line_of(key))["signers"] == ["ann@desk"]
    done = stage(board, bundle, manifest.with_name("manifest.json.sig").read_text())
    assert done["signer"] == "ann@desk"
    kept = board.layout.release(bundle.digest) / "manifest.json.sig"
    assert "BEGIN SSH SIGNATURE" in kept.read_text()
    events = [entry["event"] for entry in Journal(board.layout.log).entries()]
    assert events == ["signers"]


@pytest.mark.slow
def test_unsigned_foreign_and_altered_are_refused(
    board: Machine, bundle: Bundle, tmp_path: Path
) -> None:
    ann, eve = make_key(tmp_path / "ann"), make_key(tmp_path / "eve")
    content = bundle.text.encode()
    board.ok("trust", signers=line_of(ann))
    assert board.ok("status")["signed_only"] is True
    assert stage(board, bundle, "")["code"] == "unsigned"
    assert stage(board, bundle, signature_of(content, eve))["code"] == "foreign-signature"
    assert stage(board, bundle, signature_of(content + b" ", ann))["code"] == "foreign-signature"
    assert stage(board, bundle, "no signature")["code"] == "foreign-signature"
    other = board.layout.root / "file"
    other.write_text("x")
    wrong = ["ssh-keygen", "-q", "-Y", "sign", "-n", "file", "-f", str(ann), str(other)]
    subprocess.run(wrong, check=True, timeout=60, capture_output=True)
    assert stage(board, bundle, other.with_name("file.sig").read_text())["code"] == (
        "foreign-signature"
    )
    assert not board.layout.release(bundle.digest).exists()
    assert stage(board, bundle, signature_of(content, ann))["event"] == "result"


def test_a_signer_who_is_trusted_no_more_cannot_switch(
    board: Machine, bundle: Bundle, tmp_path: Path
) -> None:
    ann, bob = make_key(tmp_path / "ann"), make_key(tmp_path / "bob")
    board.ok("trust", signers=line_of(ann))
    assert stage(board, bundle, signature_of(bundle.text.encode(), ann))["event"] == "result"
    board.ok("trust", signers=line_of(bob, "bob@den"))
    assert board.refused("switch", release=bundle.digest)["code"] == "foreign-signature"
    assert board.ok("trust", signers="")["signers"] == []
    assert board.ok("status")["signed_only"] is False


@pytest.mark.parametrize("text", ["hello", "ann@desk", "ann@desk nonsense AAAA\n", "\0\0"])
def test_a_file_that_names_no_key_is_refused(board: Machine, text: str) -> None:
    assert board.refused("trust", signers=text)["code"] == "bad-signers"
    assert not board.layout.signers.exists()


def test_keys_that_cannot_sign(bundle: Bundle, tmp_path: Path) -> None:
    content = bundle.text.encode()
    with pytest.raises(StudioError, match="No such file"):
        signature_of(content, tmp_path / "none")
    (tmp_path / "noise").write_text("noise")
    (tmp_path / "noise").chmod(0o600)
    with pytest.raises(StudioError, match="is not a key that can sign"):
        signature_of(content, tmp_path / "noise")
    locked = make_key(tmp_path / "locked", passphrase="secret")
    with pytest.raises(StudioError, match="protected by a passphrase") as caught:
        signature_of(content, locked)
    assert "ssh-add" in caught.value.hint


def test_a_key_of_the_agent(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, socket = make_key(tmp_path / "key"), str(tmp_path / "agent")
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL)
    try:
        monkeypatch.setenv("SSH_AUTH_SOCK", socket)
        subprocess.run(
            ["sh", "-c", f'for i in $(seq 50); do ssh-add -q "{key}" && exit; sleep .1; done'],
            check=True,
            timeout=60,
            capture_output=True,
        )
        key.unlink()
        assert "BEGIN SSH" in signature_of(bundle.text.encode(), key.with_suffix(".pub"))
    finally:
        agent.terminate()
        agent.wait(10)


def test_a_signature_lies_beside_the_manifest(bundle: Bundle, tmp_path: Path) -> None:
    text = signature_of(bundle.text.encode(), make_key(tmp_path / "key"))
    path = write_signature(bundle.folder, text)
    try:
        again = Bundle.open(bundle.folder)
        assert again == replace(bundle, signature=text, raw=again.raw)
    finally:
        path.unlink()

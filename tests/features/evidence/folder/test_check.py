"""Every byte of a folder of evidence, its list and its signature included, is checked."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from studio.api import InvalidData, Silent
from studio.features.evidence.folder.check import alterations
from studio.features.evidence.folder.manifest import MANIFEST, SIGNATURE, EvidenceList
from studio.features.evidence.folder.signature import is_spelled, sign, signer
from studio.features.evidence.results import EvidenceFile
from tests.features.evidence.folder.made import made
from tests.rigs.boards import make_key, public_key

CHANGES = 1000


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A signed folder, and the keys that may sign one."""
    place = tmp_path_factory.mktemp("signed")
    key, allowed = keys(place, "auditor")
    made(place / "evidence")
    sign(place / "evidence", key)
    return place / "evidence", allowed


def keys(place: Path, name: str) -> tuple[Path, Path]:
    """Make a key; returns it with the file that allows it to sign."""
    key = place / f"{name}-key"
    make_key(key)
    allowed = place / f"{name}-signers"
    allowed.write_text(f"{name} {public_key(key)}\n")
    return key, allowed


def found(folder: Path) -> set[tuple[str, str]]:
    manifest = EvidenceList.read(folder)
    return {(one.path, one.what) for one in alterations(folder, manifest, Silent())}


def test_a_folder_as_it_was_written_has_no_alteration(signed: tuple[Path, Path]) -> None:
    folder, allowed = signed
    assert found(folder) == set()
    assert signer(folder, allowed) == "auditor"


@pytest.mark.parametrize(
    ("alter", "what"),
    [
        (lambda f: (f / "records/a.json").write_text('{"a": 2}'), ("records/a.json", "changed")),
        (lambda f: (f / "records/a.json").unlink(), ("records/a.json", "missing")),
        (lambda f: (f / "new.txt").write_text(""), ("new.txt", "not listed")),
        (lambda f: (f / "deep/er").mkdir(parents=True), None),
        (lambda f: (f / "link").symlink_to("/etc"), ("link", "a link")),
        (lambda f: _linked(f / "dossier.html"), ("dossier.html", "a link")),
        (lambda f: _linked(f / "records"), ("records/a.json", "a link")),
    ],
)
def test_each_kind_of_alteration_is_named(
    signed: tuple[Path, Path],
    tmp_path: Path,
    alter: Callable[[Path], object],
    what: tuple[str, str] | None,
) -> None:
    folder = tmp_path / "evidence"
    shutil.copytree(signed[0], folder)
    alter(folder)
    # An empty folder holds nothing that anybody could take for evidence.
    assert (what in found(folder)) if what else (found(folder) == set())


def _linked(path: Path) -> None:
    """Replace a file or folder by a link to an equal one elsewhere."""
    other = path.parent.parent / f"moved-{path.name}"
    path.rename(other)
    path.symlink_to(other)


def test_a_listed_name_outside_the_folder_is_never_read(tmp_path: Path) -> None:
    manifest = made(tmp_path / "evidence")
    outside = EvidenceFile("../secret", 6, "00" * 32)
    (tmp_path / "secret").write_text("secret")
    listing = replace(manifest, files=(*manifest.files, outside)).sealed()
    (tmp_path / "evidence" / MANIFEST).write_text(listing.text)
    assert ("../secret", "outside the folder") in found(tmp_path / "evidence")


def test_a_thousand_random_changes_of_one_byte_are_all_found(
    signed: tuple[Path, Path], tmp_path: Path
) -> None:
    folder, allowed = tmp_path / "evidence", signed[1]
    shutil.copytree(signed[0], folder)
    chosen = random.Random(0)
    files = sorted(one for one in folder.rglob("*") if one.is_file())
    sizes = [one.stat().st_size for one in files]
    unseen = []
    for _ in range(CHANGES):
        path = chosen.choices(files, sizes)[0]
        content = path.read_bytes()
        place = chosen.randrange(len(content))
        byte = (content[place] + chosen.randrange(1, 256)) % 256
        path.write_bytes(content[:place] + bytes([byte]) + content[place + 1 :])
        if not _is_seen(folder, allowed, path.name):
            unseen.append((path.name, place, byte))
        path.write_bytes(content)
    assert unseen == []


def _is_seen(folder: Path, allowed: Path, name: str) -> bool:
    """Whether the change of a file is found; only that of the signature needs the keys."""
    if name == SIGNATURE:
        return not is_spelled(folder) or _is_refused(folder, allowed)
    try:
        return bool(found(folder))
    except InvalidData:
        return True


def _is_refused(folder: Path, allowed: Path) -> bool:
    try:
        signer(folder, allowed)
    except InvalidData:
        return True
    return False


def test_a_list_that_was_sealed_again_is_not_signed(
    signed: tuple[Path, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "evidence"
    shutil.copytree(signed[0], folder)
    (folder / "records/a.json").write_text('{"a": 2}')
    manifest = EvidenceList.read(folder)
    files = tuple(
        replace(one, digest="00" * 32) if one.path == "records/a.json" else one
        for one in manifest.files
    )
    (folder / MANIFEST).write_text(replace(manifest, files=files).sealed().text)
    with pytest.raises(InvalidData, match="not by an allowed signer, or does not fit"):
        signer(folder, signed[1])


def test_another_key_is_no_allowed_signer(signed: tuple[Path, Path], tmp_path: Path) -> None:
    _, others = keys(tmp_path, "other")
    with pytest.raises(InvalidData, match="not by an allowed signer"):
        signer(signed[0], others)


def test_line_ends_and_spare_bits_of_a_signature_are_no_place_to_hide(
    signed: tuple[Path, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "evidence"
    shutil.copytree(signed[0], folder)
    text = (folder / SIGNATURE).read_text()
    assert is_spelled(folder)
    (folder / SIGNATURE).write_text(text.replace("\n", "\r\n"))
    assert not is_spelled(folder)
    (folder / SIGNATURE).write_text(text + "\n")
    assert not is_spelled(folder)

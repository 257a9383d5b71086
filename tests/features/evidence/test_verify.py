"""Attacks on a folder of evidence whose list was written again: none of them holds."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from studio.features.evidence.documents import documents
from studio.features.evidence.dossier.document import read_dossier
from studio.features.evidence.folder.manifest import MANIFEST, SIGNATURE, EvidenceList
from studio.features.evidence.folder.signature import sign
from studio.features.evidence.record import with_signer
from studio.features.evidence.results import EvidenceFile, VerifyResult
from studio.features.evidence.step import VerifyOptions
from studio.features.evidence.texts import exit_code, verified
from studio.features.evidence.verify import verify
from tests.features.evidence.written import RECORD, edited, seal, write_folder
from tests.rigs.boards import make_key, public_key
from tests.rigs.bundles import QuietJob

REFUSED = 4
Attack = Callable[[Path], object]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A signed folder, with its key and its allowed signers next to it."""
    place = tmp_path_factory.mktemp("evidence")
    write_folder(place / "out")
    make_key(place / "key")
    (place / "signers").write_text(f"ann {public_key(place / 'key')}\n")
    sign(place / "out", place / "key")
    return place


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy to attack; Python's own removal of a tree breaks on a deep one."""
    shutil.copytree(whole / "out", tmp_path / "out")
    yield tmp_path / "out"
    subprocess.run(["rm", "-rf", tmp_path / "out"], check=True)


def checked(folder: Path, signers: Path | None = None) -> VerifyResult:
    """Verify a folder as the step does: the work, then the record."""
    options = VerifyOptions(folder=folder, signers=signers)
    result = verify(options, QuietJob(folder.parent))
    return with_signer(None, options, result, folder.parent)  # type: ignore[arg-type]


def test_a_folder_as_it_was_written_holds(folder: Path, whole: Path) -> None:
    named, unnamed = checked(folder, whole / "signers"), checked(folder)
    assert exit_code(named) == exit_code(unnamed) == 0
    assert (named.signature, named.signer) == ("valid", "ann")
    assert (unnamed.signature, unnamed.signer) == ("unnamed", "")
    assert "by a key that you have not named: ED25519 SHA256:" in "\n".join(verified(unnamed))


def test_a_signature_of_another_list_never_counts(folder: Path) -> None:
    edited("model-card.md", "Top", "Pot")(folder)
    found = checked(folder)
    assert found.signature == "not valid"
    assert "The signature is not valid." in verified(found)
    assert exit_code(found) == REFUSED


@pytest.mark.parametrize(
    "name", ["dossier.html", "model-card.md", "dossier.json", "figures.json", "bom.cdx.json"]
)
def test_a_figure_made_up_in_any_document_is_found(folder: Path, name: str) -> None:
    edited(name, "811", "911")(folder)
    (folder / SIGNATURE).unlink()
    found = checked(folder)
    assert exit_code(found) == REFUSED
    assert {one.path for one in found.altered} & {name, "figures.json", "model-card.md"}


def test_a_figure_made_up_in_all_documents_at_once_differs(folder: Path) -> None:
    document = json.loads((folder / "dossier.json").read_text().replace("0.811", "0.911"))
    dossier = read_dossier(document).dossier(EvidenceList.read(folder))
    bom = read_dossier(document).bom_of(dossier)
    for name, content in documents(dossier, bom, folder):
        (folder / name).write_bytes(content)
    (folder / SIGNATURE).unlink()
    seal(folder)
    found = checked(folder)
    assert found.altered == ()
    assert [one.id for one in found.differing] == ["quality"]
    assert exit_code(found) == REFUSED


def test_a_pdf_with_another_figure_is_found(folder: Path) -> None:
    content = (folder / "dossier.pdf").read_bytes()
    (folder / "dossier.pdf").write_bytes(content.replace(b"/Type /Page\n", b"/Type /Page \n", 1))
    seal(folder)
    assert "dossier.pdf" in {one.path for one in checked(folder).altered}


def test_another_version_is_named_and_an_allowed_signature_covers_it(
    folder: Path, whole: Path
) -> None:
    manifest = EvidenceList.read(folder)
    seal(folder, manifest, tools={**manifest.tools, "reportlab": "1.0"})
    (folder / SIGNATURE).unlink()
    assert "not compared, as it was written with reportlab 1.0" in str(checked(folder).altered)
    assert exit_code(checked(folder)) == REFUSED
    sign(folder, whole / "key")
    found = checked(folder, whole / "signers")
    assert exit_code(found) == 0
    assert "reportlab 1.0" in " ".join(found.notes)


def deep(folder: Path) -> None:
    (folder / RECORD).write_text("[" * 100_000 + "]" * 100_000)
    seal(folder)


def doubled_key(folder: Path) -> None:
    (folder / RECORD).write_text('{"top1": 0.911, "top1": 0.811}')
    seal(folder)


def pipe(folder: Path) -> None:
    (folder / RECORD).unlink()
    os.mkfifo(folder / RECORD)


def endless(folder: Path) -> None:
    manifest = EvidenceList.read(folder)
    with (folder / RECORD).open("wb") as file:
        file.truncate(1 << 40)
    files = tuple(
        EvidenceFile(RECORD, 1 << 40, "0" * 64) if one.path == RECORD else one
        for one in manifest.files
    )
    seal(folder, manifest, files=files)


def listed_twice(folder: Path) -> None:
    manifest = EvidenceList.read(folder)
    first = EvidenceFile(RECORD, 3, "0" * 64)
    seal(folder, manifest, files=(first, *manifest.files))


def tree(folder: Path) -> None:
    """Make 1,500 folders in each other, more than Python's own walk can follow."""
    here = os.open(folder, os.O_DIRECTORY)
    for _ in range(1500):
        os.mkdir("d", dir_fd=here)
        deeper = os.open("d", os.O_DIRECTORY, dir_fd=here)
        os.close(here)
        here = deeper
    os.close(os.open("secret", os.O_CREAT, dir_fd=here))
    os.close(here)


def picture_outside(folder: Path) -> None:
    picture = '{"caption": "x", "file": "../../../../etc/passwd"}'
    edited("dossier.json", '"pictures": []', f'"pictures": [{picture}]')(folder)


def bomb(folder: Path) -> None:
    """Make the figure one of maps that unpack to more than any record may have."""
    with (
        zipfile.ZipFile(folder / "maps.npz", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a.npy", "w", force_zip64=True) as file,
    ):
        for _ in range(300):
            file.write(bytes(1 << 20))
    document = json.loads((folder / "figures.json").read_text())
    document["figures"][0].update(
        file="maps.npz", method="agreement", arguments={"first": "a", "second": "a"}
    )
    (folder / "figures.json").write_text(json.dumps(document))
    seal(folder)


@pytest.mark.parametrize(
    "attack",
    [
        lambda f: (f / MANIFEST).write_text("{"),
        lambda f: (f / MANIFEST).write_text("[" * 100_000),
        lambda f: (f / MANIFEST).write_bytes(b"\xff\xfe" * 9),
        deep,
        doubled_key,
        pipe,
        endless,
        listed_twice,
        tree,
        picture_outside,
        bomb,
        lambda f: (f / SIGNATURE).unlink() or os.mkfifo(f / SIGNATURE),
        lambda f: (f / SIGNATURE).unlink() or (f / SIGNATURE).symlink_to("/dev/zero"),
        lambda f: (f / RECORD).unlink() or (f / RECORD).symlink_to("/dev/zero"),
        lambda f: (f / "\x1b[31mred\n\udcff").write_text(""),
        edited(RECORD, "0.811", "1e999"),
        edited(RECORD, "0.811", "9" * 5000),
        edited(RECORD, "0.811", "9" * 400),
        edited(RECORD, "0.811", "NaN"),
        edited(RECORD, "0.811", '"0.811"}, {"a": "'),
        edited("figures.json", '"value": 0.811', '"value": 1e999'),
        edited("figures.json", '"value": 0.811', '"value": 0.911, "value": 0.811'),
        edited("figures.json", '"method": "field"', '"method": "magic"'),
        edited("figures.json", '"file": "records/a.json"', '"file": "../../../etc/passwd"'),
        edited("dossier.json", '"state": "asked"', '"state": "present"'),
        edited("dossier.json", '"files": {', '"files": {"<img src=x onerror=alert(1)>": "x", '),
        edited("dossier.json", '"measured"', '"<para>&#0;</para>"'),
        edited("dossier.json", '"statements": [', '"statements": [], "were": ['),
    ],
)
def test_no_hostile_folder_holds_or_breaks_the_check(folder: Path, attack: Attack) -> None:
    attack(folder)
    found = checked(folder)
    assert exit_code(found) == REFUSED
    assert found.altered or found.differing

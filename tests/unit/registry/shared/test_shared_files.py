"""Files in a common place: pushed when adopted, fetched when used, never altered in secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.api import Refused, StudioError
from studio.registry import file_digest, folder_digest
from studio.registry.blob_store import folder_listing
from studio.registry.servers.shared_files import MountedFolder, SharedStore


@pytest.fixture
def common(tmp_path: Path) -> Path:
    """The folder that both studios have mounted."""
    (tmp_path / "common").mkdir()
    return tmp_path / "common"


@pytest.fixture
def stores(tmp_path: Path, common: Path) -> tuple[SharedStore, SharedStore]:
    """The stores of two studios."""
    first, second = (
        SharedStore(tmp_path / name / "store", tmp_path / name, MountedFolder(common))
        for name in ("anna", "ben")
    )
    return first, second


def moved(path: Path, first: SharedStore, second: SharedStore) -> Path:
    """Return the same path in another studio's store."""
    return second.folder / path.relative_to(first.folder)


def bundle(folder: Path) -> Path:
    """Make a folder with a file below another folder."""
    (folder / "golden").mkdir(parents=True)
    (folder / "manifest.json").write_text("{}")
    (folder / "golden" / "000.npz").write_bytes(b"12345")
    return folder


def test_a_file_is_fetched_with_its_digest(
    stores: tuple[SharedStore, SharedStore], tmp_path: Path
) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(b"weights")
    made = stores[0].adopt(file)
    there = moved(made.path, *stores)
    assert not there.exists()
    assert stores[1].has(there)
    stores[1].fetch(there)
    assert file_digest(there) == made.digest


def test_a_folder_is_fetched_with_its_digest(
    stores: tuple[SharedStore, SharedStore], tmp_path: Path
) -> None:
    made = stores[0].adopt(bundle(tmp_path / "digits-1"))
    there = moved(made.path, *stores)
    stores[1].fetch(there)
    assert folder_digest(there) == made.digest
    assert (there / "golden" / "000.npz").read_bytes() == b"12345"


def test_a_file_inside_a_folder_brings_the_whole_folder(
    stores: tuple[SharedStore, SharedStore], tmp_path: Path
) -> None:
    made = stores[0].adopt(bundle(tmp_path / "digits-1"))
    there = moved(made.path, *stores)
    stores[1].fetch(there / "manifest.json")
    assert folder_digest(there) == made.digest


def test_equal_files_of_two_bundles_are_stored_once(
    stores: tuple[SharedStore, SharedStore], tmp_path: Path, common: Path
) -> None:
    stores[0].adopt(bundle(tmp_path / "digits-1"))
    second = bundle(tmp_path / "digits-2")
    (second / "notes").write_text("another file")
    stores[0].adopt(second)
    assert len(list((common / "files").iterdir())) == 3
    assert len(list((common / "folders").iterdir())) == 2


def test_a_lost_file_is_named_and_leaves_nothing(
    stores: tuple[SharedStore, SharedStore], tmp_path: Path, common: Path
) -> None:
    made = stores[0].adopt(bundle(tmp_path / "digits-1"))
    (common / "files" / file_digest(made.path / "golden" / "000.npz")).unlink()
    with pytest.raises(StudioError, match=r"has lost 000\.npz"):
        stores[1].fetch(moved(made.path, *stores))
    assert list(stores[1].folder.iterdir()) == []


def test_an_altered_file_is_refused_and_leaves_nothing(
    stores: tuple[SharedStore, SharedStore], tmp_path: Path, common: Path
) -> None:
    made = stores[0].adopt(bundle(tmp_path / "digits-1"))
    for stored in (common / "files").iterdir():
        stored.write_bytes(b"altered")
    with pytest.raises(Refused, match="is not what it was"):
        stores[1].fetch(moved(made.path, *stores))
    assert list(stores[1].folder.iterdir()) == []


@pytest.mark.parametrize("name", ["../out", "a/../../out", "/etc/out", "a//b", ".", "a\\b"])
def test_a_listing_does_not_lead_outside(
    stores: tuple[SharedStore, SharedStore], common: Path, tmp_path: Path, name: str
) -> None:
    (tmp_path / "part").write_bytes(b"x")
    part = file_digest(tmp_path / "part")
    listing = tmp_path / "listing"
    listing.write_text(f"{part}  {name}\n")
    for kind, digest, source in (
        ("files", part, "part"),
        ("folders", file_digest(listing), "listing"),
    ):
        (common / kind).mkdir()
        (common / kind / digest).write_bytes((tmp_path / source).read_bytes())
    with pytest.raises(Refused, match="a file with the name"):
        stores[1].fetch(stores[1].folder / file_digest(listing) / "digits-1")
    assert list(stores[1].folder.iterdir()) == []


def test_a_row_does_not_lead_outside(stores: tuple[SharedStore, SharedStore]) -> None:
    with pytest.raises(Refused, match="lies outside"):
        stores[1].fetch(stores[1].folder / ("a" * 64) / ".." / ".." / "secret")


def test_a_mount_that_is_gone_is_no_empty_store(
    stores: tuple[SharedStore, SharedStore], tmp_path: Path, common: Path
) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(b"weights")
    common.rename(tmp_path / "away")
    with pytest.raises(StudioError, match="is not mounted"):
        stores[0].adopt(file)


def test_a_path_outside_the_store_is_left_alone(
    stores: tuple[SharedStore, SharedStore], tmp_path: Path
) -> None:
    stores[0].fetch(tmp_path / "model.onnx")
    assert not stores[0].has(tmp_path / "model.onnx")
    assert stores[0].has(tmp_path)


def test_the_digest_of_a_folder_is_that_of_its_listing(tmp_path: Path) -> None:
    folder = bundle(tmp_path / "digits-1")
    (tmp_path / "listing").write_bytes(folder_listing(folder))
    assert file_digest(tmp_path / "listing") == folder_digest(folder)


def test_what_the_common_place_has_lost_is_stored_again(
    stores: tuple[SharedStore, SharedStore], common: Path, tmp_path: Path
) -> None:
    made = stores[0].adopt(bundle(tmp_path / "digits-1"))
    assert stores[0].restock(made.path) == 0
    (common / "files" / file_digest(made.path / "golden" / "000.npz")).unlink()
    (common / "folders" / made.digest).unlink()
    there = moved(made.path, *stores)
    assert stores[1].restock(there) == 0  # it has no copy
    assert stores[0].restock(made.path) == 2
    stores[1].fetch(there)
    assert folder_digest(there) == made.digest
    assert stores[0].restock(tmp_path / "elsewhere") == 0

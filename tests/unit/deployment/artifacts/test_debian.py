"""Debian packages of releases: read by dpkg's own tools, judged by lintian, the same each time."""

from __future__ import annotations

import hashlib
import subprocess
import zipfile
from pathlib import Path

import pytest

from studio.packages import Bundle, build_runtime, debian
from studio.packages.debian.package import package_name
from tests.rigs.apps import app_bundle, make_app
from tests.rigs.bundles import make_bundle

ANN = "Ann Edge <ann@edgeworks.org>"
PLACE = debian.DebianPlatform("aarch64", (3, 11))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make_bundle(tmp_path_factory.mktemp("bundle"), 3)


def wheel(folder: Path) -> Path:
    """A wheel with what wheels have: a package, its tests, programs, and an escape."""
    path = folder / "thing-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("thing/__init__.py", "thing/tests/test_a.py", "thing-1.0.dist-info/METADATA"):
            archive.writestr(name, "x = 1\n")
        archive.writestr("thing-1.0.data/purelib/other.py", "y = 1\n")
        archive.writestr("thing-1.0.data/scripts/thing", "#!/bin/sh\n")
        archive.writestr("../../evil.py", "z = 1\n")
    return path


def make(bundle: Bundle, folder: Path, place: debian.DebianPlatform | None = None) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "made.deb"
    wheels = [wheel(folder)] if place else []
    debian.build(path, bundle, build_runtime(folder), wheels, place, ANN)
    return path


def dpkg(*words: str | Path) -> str:
    done = subprocess.run(
        ["dpkg-deb", *map(str, words)], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout


@pytest.mark.rig
@pytest.mark.needs("dpkg-deb")
def test_a_package_of_an_app_depends_on_what_its_sources_need(tmp_path: Path) -> None:
    make_app(tmp_path / "lanes", frames=4)
    fields = dpkg("--field", make(app_bundle(tmp_path, tmp_path / "lanes"), tmp_path / "out"))
    assert "python3-numpy, python3-onnxruntime, python3-opencv, python3-pil\n" in fields


@pytest.mark.rig
@pytest.mark.needs("dpkg-deb")
def test_dpkg_reads_what_was_written(bundle: Bundle, tmp_path: Path) -> None:
    path = make(bundle, tmp_path)
    fields = dpkg("--field", path)
    assert "Package: edgewright-cnn\n" in fields
    assert f"Version: 3+{bundle.digest[:8]}\n" in fields
    assert "python3-numpy, python3-onnxruntime" in fields
    dpkg("--raw-extract", path, tmp_path / "out")
    unpacked = Bundle.open(tmp_path / "out/usr/lib/edgewright-cnn/bundle")
    assert unpacked.digest == bundle.digest
    assert (tmp_path / "out/DEBIAN/conffiles").read_text() == "/etc/default/edgewright-cnn\n"
    for line in (tmp_path / "out/DEBIAN/md5sums").read_text().splitlines():
        digest, _, name = line.partition("  ")
        content = (tmp_path / "out" / name).read_bytes()
        assert hashlib.md5(content, usedforsecurity=False).hexdigest() == digest


@pytest.mark.rig
@pytest.mark.needs("dpkg-deb")
def test_libraries_are_carried_along_for_one_architecture_and_python(
    bundle: Bundle, tmp_path: Path
) -> None:
    path = make(bundle, tmp_path, PLACE)
    fields = dpkg("--field", path)
    assert "Architecture: arm64\n" in fields
    assert "python3 (>= 3.11), python3 (<< 3.12)" in fields
    names = [line.split()[-1] for line in dpkg("--contents", path).splitlines()]
    assert "./usr/lib/edgewright-cnn/site/thing/__init__.py" in names
    assert "./usr/lib/edgewright-cnn/site/other.py" in names
    assert not [name for name in names if "evil" in name or "tests" in name or "scripts" in name]


def test_the_same_release_gives_the_same_bytes(bundle: Bundle, tmp_path: Path) -> None:
    one, other = (make(bundle, tmp_path / name, PLACE) for name in ("a", "b"))
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.rig
@pytest.mark.needs("lintian")
@pytest.mark.parametrize("place", [None, PLACE])
def test_lintian_finds_no_error(
    bundle: Bundle, tmp_path: Path, place: debian.DebianPlatform | None
) -> None:
    done = subprocess.run(
        ["lintian", "--allow-root", "--fail-on", "error,warning", make(bundle, tmp_path, place)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("PP-OCR v5 (det)", "edgewright-pp-ocr-v5-det"),
        ("größe", "edgewright-gr-e"),
        ("...", "edgewright-model"),
        ("a/../b; rm", "edgewright-a-..-b-rm"),
    ],
)
def test_names_that_debian_allows(model: str, name: str) -> None:
    assert package_name(model) == name

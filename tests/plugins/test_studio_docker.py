"""Images made without an engine, with wheels of this test's own: same inputs, same bytes."""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from studio.api import Parcel, Refused, StudioError, Unavailable, UsageError, validate
from studio.api.testing import Recorder, check_options
from studio_docker.image.base import from_archive
from studio_docker.image.build import Image, build_image
from studio_docker.image.layers import LayerFile, write_layer
from studio_docker.image.spec import IMAGE_OPTIONS, ImageSpec
from studio_docker.packager import ImagePackager
from tests.plugins.container_parts import make_base, make_wheel

NAMES = ("numpy", "onnxruntime")
MODEL = "aa" * 32


@pytest.fixture
def parcel(tmp_path: Path) -> Parcel:
    bundle = tmp_path / "bundle"
    (bundle / "golden").mkdir(parents=True)
    (bundle / "model.onnx").write_bytes(b"model")
    (bundle / "golden" / "0.npz").write_bytes(b"golden")
    manifest = {
        "name": "digits",
        "version": 3,
        "created": "2026-01-01T00:00:00+00:00",
        "runtime": {"numpy": ">=1.19", "onnxruntime": ">=1.17"},
        "model": {
            "file": "model.onnx",
            "format": "onnx",
            "precision": "fp32",
            "inputs": [{"name": "image", "dtype": "float32", "shape": ["n", 1, 8, 8]}],
            "outputs": [{"name": "logits", "dtype": "float32", "shape": None}],
        },
        "files": {"model.onnx": {"sha256": MODEL, "bytes": 5}},
    }
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    job = tmp_path / "job"
    job.mkdir()
    (job / "edgewright.pyz").write_bytes(b"runtime")
    store = tmp_path / "store"
    store.mkdir()
    wheels = [make_wheel(store, name) for name in NAMES]
    asked: list[Any] = []

    def find(arch: str, python: tuple[int, int], wanted: Sequence[str]) -> Sequence[Path]:
        asked.append((arch, python, list(wanted)))
        return wheels

    find.asked = asked  # type: ignore[attr-defined]
    return Parcel(bundle, job / "edgewright.pyz", "ab" * 32, manifest, "ann@here", find)


def image_spec(**more: Any) -> ImageSpec:
    return ImageSpec.of(validate(IMAGE_OPTIONS, {"licence": "MIT", **more}))


def build(parcel: Parcel, folder: Path, archive: Path | None = None, **more: Any) -> Image:
    folder.mkdir()
    made = archive or make_base(folder / "base.tar", "amd64")
    found = from_archive(made, folder, "amd64")
    return build_image(parcel, image_spec(**more), found, folder, Recorder())


def names(image: Image) -> dict[str, tarfile.TarInfo]:
    found = {}
    for layer in image.layers:
        assert layer.path is not None
        with tarfile.open(layer.path) as archive:
            found.update({member.name: member for member in archive})
    return found


def test_same_inputs_give_the_same_image(parcel: Parcel, tmp_path: Path) -> None:
    first = build(parcel, tmp_path / "a")
    for path in parcel.bundle.rglob("*"):
        os.utime(path, (1, 1))
    os.chmod(parcel.bundle / "model.onnx", 0o400)
    second = build(parcel, tmp_path / "b")
    assert first.id == second.id
    assert [one.digest for one in first.layers] == [one.digest for one in second.layers]
    (parcel.bundle / "model.onnx").write_bytes(b"other")
    third = build(parcel, tmp_path / "c")
    same = [a.digest == b.digest for a, b in zip(first.layers, third.layers, strict=True)]
    assert same == [True, True, False], "only the layer of the bundle is another one"


def test_what_is_in_an_image(parcel: Parcel, tmp_path: Path) -> None:
    image = build(parcel, tmp_path / "a")
    found = names(image)
    assert "opt/edgewright/lib/numpy/__init__.py" in found
    assert "opt/edgewright/lib/numpy/more.py" in found
    assert "opt/edgewright/lib/numpy-1.0.dist-info/licenses/LICENSE" in found
    assert "opt/edgewright/bundle/golden/0.npz" in found
    assert found["opt/edgewright/turns"].mode == 0o777
    for part in ("pip", "tests", ".pyi", "include", "RECORD", "scripts"):
        assert not [name for name in found if part in name], part
    assert {member.uid for member in found.values()} == {0}
    assert all(member.mode & 0o022 == 0 for name, member in found.items() if "turns" not in name)
    created = 1767225600
    assert {m.mtime for name, m in found.items() if "/bundle" in name} == {created}
    wheels: Any = parcel.wheels
    assert wheels.asked == [("x86_64", (3, 12), ["numpy>=1.19", "onnxruntime>=1.17"])]


def test_how_an_image_starts(parcel: Parcel, tmp_path: Path) -> None:
    image = build(parcel, tmp_path / "a", source="https://example.org/x")
    settings = json.loads(image.text)
    config = settings["config"]
    assert config["User"] == "10001:10001"
    assert config["Env"][0] == "PATH=/usr/bin", "what the base sets stays"
    assert config["Entrypoint"][0] == "python3"
    assert config["Healthcheck"]["Test"][-1] == "health"
    labels = config["Labels"]
    title = "org.opencontainers.image."
    assert labels["vendor"] == "them"
    assert labels[f"{title}title"] == "digits"
    assert labels[f"{title}version"] == "3"
    assert labels[f"{title}licenses"] == "MIT"
    assert labels[f"{title}source"] == "https://example.org/x"
    assert labels[f"{title}created"] == "2026-01-01T00:00:00+00:00"
    assert labels["edgewright.model"] == f"sha256:{MODEL}"
    assert labels["edgewright.release"] == parcel.digest
    assert len(settings["rootfs"]["diff_ids"]) == len(settings["history"]) == 4


def test_the_list_of_parts(parcel: Parcel, tmp_path: Path) -> None:
    document = json.loads(build(parcel, tmp_path / "a").sbom)
    kinds = {part["name"]: part["type"] for part in document["components"]}
    assert kinds["numpy"] == "library"
    assert kinds["digits"] == "machine-learning-model"
    (model,) = (p for p in document["components"] if p["type"] == "machine-learning-model")
    assert model["hashes"] == [{"alg": "SHA-256", "content": MODEL}]
    (numpy,) = (p for p in document["components"] if p["name"] == "numpy")
    assert numpy["purl"] == "pkg:pypi/numpy@1.0"
    assert numpy["licenses"] == [{"license": {"name": "MIT"}}]
    check_schema(document)


def check_schema(document: Any) -> None:
    """The schema that the library of CycloneDX brings."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(document))
    assert error is None, error
    broken = {**document, "components": [{"type": "thing"}]}
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(broken)) is not None


def test_a_budget_is_kept(parcel: Parcel, tmp_path: Path) -> None:
    image = build(parcel, tmp_path / "a", size_budget_mb=1)
    assert image.size < 1_000_000
    (parcel.bundle / "big").write_bytes(bytes(2_000_000))
    with pytest.raises(Refused, match="2 MB, more than its budget of 1 MB") as refused:
        build(parcel, tmp_path / "b", size_budget_mb=1)
    assert "bundle 2 MB" in refused.value.hint


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"user": "me"}, "must be a number"),
        ({"variant": "cuda"}, "a base image with CUDA"),
        ({"variant": "tpu"}, "must be one of cpu, cuda, not 'tpu'"),
    ],
)
def test_specs_that_do_not_work(given: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        image_spec(**given)


def test_the_other_variants(parcel: Parcel, tmp_path: Path) -> None:
    base = make_base(tmp_path / "arm.tar", "arm64")
    image = build(replace(parcel), tmp_path / "a", base, variant="cuda", base=str(base), user="0")
    wheels: Any = parcel.wheels
    assert wheels.asked == [("aarch64", (3, 12), ["numpy>=1.19", "onnxruntime-gpu>=1.17"])]
    settings = json.loads(image.text)
    assert settings["architecture"] == "arm64"
    assert settings["config"]["User"] == "0"


def test_pictures_need_pillow(parcel: Parcel, tmp_path: Path) -> None:
    manifest = {**parcel.manifest, "preprocess": {"size": [8, 8]}}
    build(replace(parcel, manifest=manifest), tmp_path / "a")
    wheels: Any = parcel.wheels
    assert "pillow>=9" in wheels.asked[0][2]


@pytest.mark.parametrize("kind", ["rootfs", "image"])
def test_without_an_engine(
    parcel: Parcel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    base = make_base(tmp_path / "base.tar", "amd64" if kind == "image" else "")
    packager = ImagePackager()
    check_options(packager.options)
    options = validate(packager.options, {"tag": "digits:3", "base": str(base)})
    made = packager.build(parcel, tmp_path / "out", options, Recorder())
    assert "No container engine" in made["next"]
    assert "docker load" in made["next"]
    assert made["engine"] == ""
    again = from_archive(Path(made["path"]), tmp_path, "amd64")
    assert f"{again.digest}" == made["id"]
    assert [layer.diff_id for layer in again.layers][-3:] == made["layers"]
    check_layout(Path(made["path"]), made)
    context = Path(made["context"])
    text = (context / "Dockerfile").read_text()
    assert "USER 10001:10001" in text
    assert text.count("FROM ${BASE}") == 2
    assert len(list((context / "wheels").iterdir())) == 2
    assert (context / "bundle" / "manifest.json").is_file()
    assert not list(parcel.runtime.parent.glob("image-*")), "nothing is left in the job's folder"


def check_layout(path: Path, made: Any) -> None:
    """Every blob that the OCI index leads to is there, with its digest."""
    with tarfile.open(path) as archive:
        read = {m.name: archive.extractfile(m).read() for m in archive if m.isfile()}  # type: ignore[union-attr]
    assert json.loads(read["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    (entry,) = json.loads(read["index.json"])["manifests"]
    manifest = json.loads(read["blobs/sha256/" + entry["digest"][7:]])
    assert manifest["config"]["digest"] == made["id"]
    for blob in (entry, manifest["config"], *manifest["layers"]):
        content = read["blobs/sha256/" + blob["digest"][7:]]
        assert hashlib.sha256(content).hexdigest() == blob["digest"][7:]
        assert len(content) == blob["size"]


def test_without_an_engine_and_without_a_base(
    parcel: Parcel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    packager = ImagePackager()
    options = validate(packager.options, {"tag": "digits:3"})
    made = packager.build(parcel, tmp_path / "out", options, Recorder())
    assert "docker build" in made["next"]
    assert (Path(made["context"]) / "Dockerfile").is_file()
    assert "ARG BASE=python:3.13-slim" in (Path(made["context"]) / "Dockerfile").read_text()
    with pytest.raises(Unavailable, match="No container engine"):
        packager.build(parcel, tmp_path / "p", {**options, "push": True}, Recorder())
    with pytest.raises(Unavailable, match="Python of them:1 is not known"):
        packager.build(parcel, tmp_path / "q", {**options, "base": "them:1"}, Recorder())


def test_an_archive_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(b"no tar")
    with pytest.raises(StudioError, match="cannot be read"):
        from_archive(tmp_path / "x.tar", tmp_path, "amd64")
    with tarfile.open(tmp_path / "y.tar", "w"):
        pass
    with pytest.raises(UsageError, match="no python3"):
        from_archive(tmp_path / "y.tar", tmp_path, "amd64")


def test_a_wheel_that_reaches_out(parcel: Parcel, tmp_path: Path) -> None:
    path = tmp_path / "evil-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("evil-1.0.dist-info/METADATA", "Name: evil\nVersion: 1.0\n")
        archive.writestr("../../etc/passwd", "x")
    with pytest.raises(StudioError, match="unsafe name"):
        build(replace(parcel, wheels=lambda *_: [path]), tmp_path / "a")
    path.write_bytes(b"x")
    with pytest.raises(StudioError, match="is damaged"):
        build(replace(parcel, wheels=lambda *_: [path]), tmp_path / "b")


def test_layers_are_sorted_and_complete(tmp_path: Path) -> None:
    entries = [LayerFile("b/c/d", b"x"), LayerFile("a", b"y", 0o755)]
    layer = write_layer(tmp_path / "l.tar", "l", entries, 7)
    assert layer.path is not None
    with tarfile.open(layer.path) as archive:
        assert archive.getnames() == ["a", "b", "b/c", "b/c/d"]
        assert {member.mtime for member in archive} == {7}

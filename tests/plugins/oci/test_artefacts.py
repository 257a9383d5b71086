"""The plugin of OCI registries against a registry in this process: pushes, pulls, lists.

The registries of Debian, and the programs that read them, are asked by ``tests/integration/oci``.
"""

from __future__ import annotations

import json
import tarfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from studio.api import InvalidData, Silent, TargetError, UsageError
from studio.api.testing_registries import check_registry
from studio_oci.artefacts.modelpack import modelpack
from studio_oci.artefacts.sbom import CYCLONEDX, SPDX, kind_of
from studio_oci.registry import OciRegistry
from tests.rigs.oci.bundles import SIGNATURE, publication
from tests.rigs.oci.registry import Store, digest_of, serving
from tests.rigs.oci.sessions import Rig, names, opened, options, pushed


@pytest.mark.parametrize("listed", [True, False], ids=["referrers", "fallback"])
def test_the_conformance_suite(rig: Rig, tmp_path: Path, listed: bool) -> None:
    rig[1].lists_referrers = listed
    check_registry(OciRegistry(), f"oci://{rig[0]}/models", tmp_path / "files")


def test_the_artefact_of_a_bundle(rig: Rig, tmp_path: Path) -> None:
    version = pushed(rig, tmp_path)
    name, _, digest = version.references["modelpack"].partition("@")
    assert name == f"{rig[0]}/models/digits"
    found = json.loads(rig[1].manifests["models/digits", digest])
    assert found["artifactType"] == "application/vnd.cncf.model.manifest.v1+json"
    assert found["config"]["mediaType"] == "application/vnd.cncf.model.config.v1+json"
    kinds = {
        layer["annotations"]["org.cncf.model.filepath"]: layer["mediaType"].split(".v1")[0]
        for layer in found["layers"]
    }
    start = "application/vnd.cncf.model."
    assert kinds == {
        "manifest.json": start + "weight.config",
        "model.onnx": start + "weight",
        "labels.txt": start + "weight.config",
        "golden/0.npz": start + "dataset",
        "README.md": start + "doc",
    }


def test_the_config_names_the_layers(tmp_path: Path) -> None:
    made = modelpack(publication(tmp_path))
    config, *layers = made.blobs
    found = json.loads(b"".join(config.read(0)))
    assert found["modelfs"]["diffIds"] == [layer.digest for layer in layers]
    assert found["config"] == {"format": "onnx", "precision": "float32"}
    assert found["descriptor"]["createdAt"] == "2026-12-01T10:00:00+00:00"


def test_equal_bundles_give_equal_digests(rig: Rig, tmp_path: Path) -> None:
    first = pushed(rig, tmp_path / "here", modelcar="yes")
    with serving() as other:
        second = pushed(other, tmp_path / "there", modelcar="yes")
    for kind in ("modelpack", "modelcar"):
        digests = [one.references[kind].partition("@")[2] for one in (first, second)]
        assert digests[0] == digests[1]


def test_only_changed_layers_travel(rig: Rig, tmp_path: Path) -> None:
    opened(rig).push(publication(tmp_path / "1", 1, weights=b"a" * 90_000), options(), Silent())
    rig[1].requests.clear()
    opened(rig).push(publication(tmp_path / "2", 2, weights=b"a" * 90_000), options(), Silent())
    assert 0 < rig[1].sent() < 20_000


def test_a_second_push_sends_no_blob(rig: Rig, tmp_path: Path) -> None:
    first = pushed(rig, tmp_path, modelcar="yes")
    rig[1].requests.clear()
    second = pushed(rig, tmp_path, modelcar="yes")
    assert second == first
    assert [path for method, path, _ in rig[1].requests if method == "POST"] == []


def test_a_large_blob_travels_in_chunks(rig: Rig, tmp_path: Path) -> None:
    session = opened(rig)
    session._client.uploads.chunk = 1000
    one = publication(tmp_path / "bundle", weights=bytes(range(250)) * 21)
    version = session.push(one, options(), Silent())
    sizes = [size for method, _, size in rig[1].requests if method == "PATCH"]
    assert sizes.count(1000) >= 5
    assert 250 in sizes, "what is left after five"
    path = session.pull(version, tmp_path / "pulled", Silent())
    assert (path / "model.onnx").read_bytes() == bytes(range(250)) * 21


def test_a_broken_upload_continues(rig: Rig, tmp_path: Path) -> None:
    session = opened(rig)
    session._client.uploads.chunk = 1000
    rig[1].break_after = 2
    session.push(publication(tmp_path / "bundle"), options(), Silent())
    patches = [size for method, _, size in rig[1].requests if method == "PATCH"]
    assert sum(patches[:5]) == 5000, "no byte is sent again"


def test_an_upload_that_breaks_for_ever_ends(rig: Rig, tmp_path: Path) -> None:
    session = opened(rig)
    session._client.uploads.chunk = 100
    rig[1].break_after = 1_000_000
    with pytest.raises(TargetError, match="cannot be reached"):
        session.push(publication(tmp_path / "bundle"), options(), Silent())


def test_a_bundle_comes_back_with_its_signature(rig: Rig, tmp_path: Path) -> None:
    for listed in (True, False):
        rig[1].lists_referrers = listed
        one = publication(tmp_path / str(listed), 1 + listed, signed=True)
        version = opened(rig).push(one, options(), Silent())
        path = opened(rig).pull(version, tmp_path / f"pulled-{listed}", Silent())
        assert names(path) == names(one.bundle)
        assert (path / "manifest.json.sig").read_text() == SIGNATURE


@pytest.mark.parametrize("listed", [True, False], ids=["referrers", "fallback"])
def test_attachments_are_referrers(rig: Rig, tmp_path: Path, listed: bool) -> None:
    rig[1].lists_referrers = listed
    session = opened(rig)
    one = publication(tmp_path / "bundle", signed=True)
    for _ in range(2):
        session.push(one, options(modelcar="yes"), Silent())
    subject = modelpack(one).descriptor
    kinds = [
        json.loads(text)["artifactType"]
        for text in rig[1].manifests.values()
        if json.loads(text).get("subject", {}).get("digest") == subject.digest
    ]
    assert sorted(kinds) == [
        CYCLONEDX,
        "application/vnd.edgewright.bundle.signature.v1",
    ]
    tag = subject.digest.replace(":", "-")
    assert (tag in rig[1].tags["models/digits"]) is not listed
    if not listed:
        text = rig[1].manifests["models/digits", rig[1].tags["models/digits"][tag]]
        assert sorted(entry["artifactType"] for entry in json.loads(text)["manifests"]) == sorted(
            kinds
        )


def test_a_bill_of_materials_of_ones_own(rig: Rig, tmp_path: Path) -> None:
    bill = tmp_path / "bill.json"
    bill.write_text('{"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"}')
    pushed(rig, tmp_path, sbom=str(bill))
    kinds = {json.loads(text).get("artifactType") for text in rig[1].manifests.values()}
    assert SPDX in kinds
    assert CYCLONEDX not in kinds


@pytest.mark.parametrize("text", ["", "[]", "{}", "[" * 100_000, '{"bomFormat": "other"}'])
def test_what_is_no_bill_of_materials(text: str) -> None:
    with pytest.raises(InvalidData, match="neither CycloneDX nor SPDX"):
        kind_of(text.encode())


def test_the_image_has_the_bundle_in_models(rig: Rig, tmp_path: Path) -> None:
    one = publication(tmp_path / "bundle", signed=True)
    version = opened(rig).push(one, options(modelcar="yes"), Silent())
    digest = version.references["modelcar"].partition("@")[2]
    index = json.loads(rig[1].manifests["models/digits", digest])
    platforms = [entry["platform"]["architecture"] for entry in index["manifests"]]
    assert platforms == ["amd64", "arm64"]
    images = [
        json.loads(rig[1].manifests["models/digits", entry["digest"]])
        for entry in index["manifests"]
    ]
    assert images[0]["layers"] == images[1]["layers"], "one layer serves both"
    layer = rig[1].blobs["models/digits", images[0]["layers"][0]["digest"]]
    with tarfile.open(fileobj=BytesIO(layer)) as archive:
        archive.extractall(tmp_path / "image", filter="data")
    shutil_names = names(tmp_path / "image" / "models")
    assert shutil_names == names(one.bundle) - {"manifest.json.sig"}
    config = json.loads(rig[1].blobs["models/digits", images[0]["config"]["digest"]])
    assert config["rootfs"]["diff_ids"] == [digest_of(layer)]


def test_an_image_on_a_base(rig: Rig, tmp_path: Path) -> None:
    digest = put_image(rig[1], "bases/shell")
    base = f"bases/shell@{digest}"
    version = pushed(rig, tmp_path, modelcar="yes", base=base)
    index = rig[1].manifests["models/digits", version.references["modelcar"].partition("@")[2]]
    entry = json.loads(index)["manifests"][0]
    assert entry["platform"] == {"os": "linux", "architecture": "riscv64"}
    image = json.loads(rig[1].manifests["models/digits", entry["digest"]])
    assert len(image["layers"]) == 2
    assert ("models/digits", digest_of(b"a shell")) in rig[1].blobs, "taken over, not sent"
    config = json.loads(rig[1].blobs["models/digits", image["config"]["digest"]])
    assert config["config"]["Cmd"] == ["sh"]
    assert len(config["rootfs"]["diff_ids"]) == 2


def put_image(store: Store, name: str) -> str:
    """An image with a shell, so to speak."""
    layer = b"a shell"
    config = {
        "os": "linux",
        "architecture": "riscv64",
        "config": {"Cmd": ["sh"]},
        "rootfs": {"type": "layers", "diff_ids": [digest_of(layer)]},
    }
    text = json.dumps(config).encode()
    kind = "application/vnd.oci.image."
    manifest = {
        "schemaVersion": 2,
        "config": {
            "mediaType": f"{kind}config.v1+json",
            "digest": digest_of(text),
            "size": len(text),
        },
        "layers": [
            {"mediaType": f"{kind}layer.v1.tar", "digest": digest_of(layer), "size": len(layer)}
        ],
    }
    content = json.dumps(manifest).encode()
    store.blobs[name, digest_of(text)] = text
    store.blobs[name, digest_of(layer)] = layer
    store.manifests[name, digest_of(content)] = content
    store.media[digest_of(content)] = f"{kind}manifest.v1+json"
    return digest_of(content)


@pytest.mark.parametrize("base", ["shell", "shell:1", "../x@sha256:" + "0" * 64, "a@sha256:1"])
def test_what_is_no_base(rig: Rig, tmp_path: Path, base: str) -> None:
    with pytest.raises(UsageError, match="is no base of this registry"):
        pushed(rig, tmp_path, modelcar="yes", base=base)
    assert rig[1].tags == {}


def test_two_bundles_with_one_number(rig: Rig, tmp_path: Path) -> None:
    session = opened(rig)
    first = session.push(publication(tmp_path / "1", 3), options(), Silent())
    second = session.push(publication(tmp_path / "2", 3, weights=b"other"), options(), Silent())
    assert first.version == "3"
    assert second.version.startswith("3-")
    assert session.find("digits", version="3").references == first.references


def test_a_version_by_tag_and_by_digest(rig: Rig, tmp_path: Path) -> None:
    version = pushed(rig, tmp_path)
    session = opened(rig)
    session.set_alias("digits", "champion", version.version, "ann")
    digest = version.references["modelpack"].partition("@")[2]
    assert session.find("digits", alias=digest).references == version.references
    by_tag = session.find("digits", alias="champion")
    assert by_tag.version == "1"
    assert by_tag.aliases == ("champion",)


@pytest.mark.parametrize(
    "alias", ["1", "3-0123abcd", "a b", "", "x-modelcar", "sha256-" + "0" * 64]
)
def test_what_is_no_alias(rig: Rig, tmp_path: Path, alias: str) -> None:
    version = pushed(rig, tmp_path)
    with pytest.raises(UsageError, match="cannot be an alias"):
        opened(rig).set_alias("digits", alias, version.version, "ann")


def test_an_alias_is_checked_before_anything_is_sent(rig: Rig, tmp_path: Path) -> None:
    one = replace(publication(tmp_path / "bundle"), aliases=("not a tag",))
    with pytest.raises(UsageError, match="cannot be an alias"):
        opened(rig).push(one, options(), Silent())
    assert rig[1].requests == []


def test_long_lists_come_in_pages(rig: Rig, tmp_path: Path) -> None:
    rig[1].page = 2
    for version in range(1, 6):
        pushed(rig, tmp_path, version)
    found = [one.version for one in opened(rig).versions("digits")]
    assert found == ["5", "4", "3", "2", "1"]


def test_a_registry_that_does_not_remove_tags(rig: Rig, tmp_path: Path) -> None:
    version = pushed(rig, tmp_path)
    session = opened(rig)
    session.set_alias("digits", "champion", version.version, "ann")

    def refuse(handler: Any) -> bool:
        if handler.command == "DELETE":
            handler.refuse(405, "UNSUPPORTED")
        return bool(handler.command == "DELETE")

    rig[1].fault = refuse
    with pytest.raises(TargetError, match="does not remove tags"):
        session.remove_alias("digits", "champion", "ann")


def test_a_registry_that_lists_no_repositories(rig: Rig) -> None:
    def refuse(handler: Any) -> bool:
        handler.refuse(404, "NAME_UNKNOWN")
        return True

    rig[1].fault = refuse
    with pytest.raises(UsageError, match="does not list its repositories"):
        opened(rig).models()


@pytest.mark.parametrize("name", ["Über", "a b", "../x", "a//b", "x" * 300])
def test_a_name_that_no_repository_has(rig: Rig, tmp_path: Path, name: str) -> None:
    one = replace(publication(tmp_path / "bundle"), name=name)
    with pytest.raises(UsageError, match="allows no repository"):
        opened(rig).push(one, options(), Silent())
    assert rig[1].requests == []


@pytest.mark.parametrize(
    "address",
    ["oci://", "oci://host:0/x", "oci://host/x?y", "http://host", "oci://[::1", "oci://h/UP"],
)
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(UsageError):
        OciRegistry().open(address, Silent())


def test_an_address_carries_no_login() -> None:
    with pytest.raises(UsageError, match="carries no login"):
        OciRegistry().open("oci://ann:secret@host/x", Silent())


@pytest.mark.parametrize(
    ("address", "plain"),
    [
        ("oci://localhost:5000/x", True),
        ("oci://127.0.0.1/x", True),
        ("oci://[::1]:5000/x", True),
        ("oci://registry.example/x", False),
        ("oci://127.0.0.1.example/x", False),
        ("oci+http://registry.example/x", True),
        ("oci+https://localhost/x", False),
    ],
)
def test_where_tls_is_left_out(address: str, plain: bool) -> None:
    assert OciRegistry().open(address, Silent())._place.plain is plain


@pytest.mark.parametrize("part", ["/blobs/uploads/", "/manifests/sha256:"])
@pytest.mark.parametrize("after", [1, 3, 4])
def test_a_failed_push_registers_nothing(rig: Rig, tmp_path: Path, part: str, after: int) -> None:
    left = [after]

    def fail(handler: Any) -> bool:
        fits = part in handler.path and handler.command == "PUT"
        left[0] -= fits
        if fits and left[0] < 0:
            handler.refuse(503, "UNAVAILABLE")
        return bool(fits and left[0] < 0)

    rig[1].fault = fail
    rig[1].lists_referrers = True
    with pytest.raises(TargetError, match="failed: unavailable"):
        opened(rig).push(
            publication(tmp_path / "b", signed=True), options(modelcar="yes"), Silent()
        )
    assert rig[1].tags.get("models/digits", {}) == {}

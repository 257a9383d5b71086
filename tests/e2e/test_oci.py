"""Bundles in an OCI registry from the command line, against one in this process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Studio
from tests.rigs.oci.registry import Store, digest_of, serving

pytestmark = pytest.mark.slow


@pytest.fixture
def rig(studio: Studio) -> Iterator[tuple[str, Store]]:
    for name in ("REGISTRY_AUTH_FILE", "DOCKER_CONFIG"):
        studio.environment.pop(name, None)
    with serving() as found:
        yield found


def test_push_pull_and_deploy_by_digest_and_alias(
    studio: Studio, rig: tuple[str, Store], digits: Path, tmp_path: Path
) -> None:
    address = f"oci://{rig[0]}/models"
    model = digits / "digits.onnx"
    pushed = studio.ok("registry", "push", model, "--to", address, "--alias", "champion")
    assert (pushed["name"], pushed["version"], pushed["aliases"]) == ("digits", "1", ["champion"])
    name = pushed["references"]["modelpack"]
    listed = studio.ok("registry", "list", "digits", "--registry", address)
    assert [one["release"] for one in listed["versions"]] == [pushed["release"]]
    other = Studio(tmp_path / "other")
    out = tmp_path / "out"
    pulled = other.ok("registry", "pull", f"oci://{name}", "--out", out)
    assert pulled["release"] == pushed["release"]
    assert pulled["bundle"] == str(out)
    assert digest_of((out / "manifest.json").read_bytes()) == f"sha256:{pushed['release']}"
    where = ("--target", "local", "--registry", address)
    deployed = studio.ok("registry", "deploy", "digits@champion", *where)
    assert (deployed["action"], deployed["release"]) == ("deploy", pushed["release"])
    again = studio.ok("registry", "deploy", "digits@champion", *where)
    assert again["action"] == "unchanged"


def test_a_model_that_another_program_has_pushed(
    studio: Studio, rig: tuple[str, Store], digits: Path
) -> None:
    content = (digits / "digits.onnx").read_bytes()
    layer = {
        "mediaType": "application/vnd.cncf.model.weight.v1.raw",
        "digest": digest_of(content),
        "size": len(content),
        "annotations": {"org.cncf.model.filepath": "digits.onnx"},
    }
    media = "application/vnd.oci.image.manifest.v1+json"
    kind = "application/vnd.cncf.model.manifest.v1+json"
    document = {"schemaVersion": 2, "mediaType": media, "artifactType": kind, "layers": [layer]}
    manifest = json.dumps(document).encode()
    rig[1].blobs["others/digits", digest_of(content)] = content
    rig[1].manifests["others/digits", digest_of(manifest)] = manifest
    rig[1].media[digest_of(manifest)] = media
    rig[1].tags["others/digits"] = {"v1.0": digest_of(manifest)}
    pulled = studio.ok("registry", "pull", f"oci://{rig[0]}/others/digits:v1.0")
    assert pulled["version"] == digest_of(manifest)
    assert pulled["aliases"] == ["v1.0"]
    assert pulled["model"] == "digits"


def test_a_blob_that_lies_leaves_nothing_here(
    studio: Studio, rig: tuple[str, Store], digits: Path, tmp_path: Path
) -> None:
    model = digits / "digits.onnx"
    pushed = studio.ok("registry", "push", model, "--to", f"oci://{rig[0]}/models")
    blobs = rig[1].blobs
    key = max(blobs, key=lambda one: len(blobs[one]))  # the model, as packaged
    blobs[key] = blobs[key][:-1] + b"x"
    other = Studio(tmp_path / "other")
    ended = other.run("registry", "pull", f"oci://{pushed['references']['modelpack']}")
    assert ended.code == 1
    assert "sent another content" in ended.err
    assert len(ended.err.strip().splitlines()) <= 2
    assert other.ok("versions", "list") == []


def test_a_version_without_a_tag_or_digest(studio: Studio, rig: tuple[str, Store]) -> None:
    ended = studio.run("registry", "pull", f"oci://{rig[0]}/models/digits:none")
    assert ended.code == 2
    assert "has no models/digits with none" in ended.err

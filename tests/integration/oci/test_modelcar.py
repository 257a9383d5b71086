"""The image as clusters use it, by podman: a modelcar with a shell, and a volume of an image."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.api import Silent, validate
from studio_oci.artefacts.contents import text_content
from studio_oci.client import MANIFEST, OciClient
from studio_oci.registry import OciRegistry
from tests.integration.oci.conftest import Program
from tests.rigs.oci.bundles import publication

BUSYBOX = "/bin/busybox"
pytestmark = [
    pytest.mark.rig,
    pytest.mark.needs("docker-registry", "podman", "runc", "busybox"),
]
RUN = ("run", "--network=none", "--quiet")


def shell_image(client: OciClient, name: str) -> str:
    """Push an image with BusyBox alone; its digest."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        archive.add(BUSYBOX, "bin/busybox")
        for program in ("sh", "ln", "sleep", "ls", "cat", "sha256sum", "mkdir"):
            link = tarfile.TarInfo(f"bin/{program}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
    layer = text_content("layer", raw.getvalue())
    config = {
        "os": "linux",
        "architecture": "amd64",
        "config": {"Env": ["PATH=/bin"]},
        "rootfs": {"type": "layers", "diff_ids": [layer.digest]},
    }
    about = text_content("config", json.dumps(config).encode())
    kind = "application/vnd.oci.image."
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {
            "mediaType": f"{kind}config.v1+json",
            "digest": about.digest,
            "size": about.size,
        },
        "layers": [
            {"mediaType": f"{kind}layer.v1.tar", "digest": layer.digest, "size": layer.size}
        ],
    }
    content = text_content("manifest", json.dumps(manifest).encode())
    for blob in (layer, about):
        client.put_blob(name, blob, Silent())
    client.put_manifest(name, content.digest, b"".join(content.read(0)), MANIFEST)
    return content.digest


@pytest.fixture
def images(host: str, tmp_path: Path) -> Iterator[tuple[str, str, str]]:
    """References of the shell, of a model on it, and of the model alone."""
    session = OciRegistry().open(f"oci://{host}/models", Silent())
    shell = shell_image(session._client, "bases/shell")
    one = publication(tmp_path / "bundle")
    found = []
    for given in ({"base": f"bases/shell@{shell}"}, {}):
        options = validate(OciRegistry.options, {"modelcar": "yes", **given})
        found.append(session.push(one, options, Silent()).references["modelcar"])
    yield f"{host}/bases/shell@{shell}", found[0], found[1]
    shutil.rmtree(tmp_path / "bundle")


def test_a_volume_of_an_image(podman: Program, images: tuple[str, str, str]) -> None:
    """As the kubelet mounts it: read-only, without a process of its own."""
    shell, _, model = images
    for name in (shell, model):
        podman("pull", "--quiet", "--tls-verify=false", name)
    mount = f"type=image,source={model},destination=/bundle"
    text = podman(*RUN, "--mount", mount, shell, "sha256sum", "/bundle/models/model.onnx")
    assert text.startswith(sum_of_weights())


def test_a_modelcar_with_a_shell(podman: Program, images: tuple[str, str, str]) -> None:
    """The commands are those that KServe gives to a modelcar."""
    shell, car, _ = images
    for name in (shell, car):
        podman("pull", "--quiet", "--tls-verify=false", name)
    words = "mkdir -p /mnt && ln -sf /proc/$$/root/models /mnt/models && sleep 60"
    podman(*RUN, "--detach", "--name=car", "--volume=mnt:/mnt", car, "sh", "-c", words)
    try:
        other = ("--rm", "--pid=container:car", "--volume=mnt:/mnt")
        text = retried(podman, *RUN, *other, shell, "sha256sum", "/mnt/models/model.onnx")
    finally:
        podman("rm", "--force", "--time=0", "car")
    assert text.startswith(sum_of_weights())


def retried(podman: Program, *words: str) -> str:
    """What a container prints, as soon as the modelcar has made its link."""
    for _ in range(20):
        try:
            return podman(*words)
        except AssertionError:
            time.sleep(0.5)
    return podman(*words)


def sum_of_weights() -> str:
    """The digest of the model in the bundle."""
    return text_content("weights", b"w" * 5000).digest.removeprefix("sha256:")

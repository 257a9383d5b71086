"""What the studio pushes, in Debian's docker-registry, read by oras, skopeo and podman."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from studio.api import Silent, validate
from studio.api.testing_registries import check_registry
from studio_oci.registry import OciRegistry
from tests.benchmarks.serve.peers import free_port
from tests.e2e.conftest import Studio
from tests.integration.oci.conftest import Program
from tests.rigs.engine import RegistryServer
from tests.rigs.oci.bundles import publication

pytestmark = [pytest.mark.rig, pytest.mark.needs("docker-registry", "oras", "skopeo", "podman")]


@pytest.fixture(scope="module")
def key(studio: Studio) -> Path:
    """An SSH key, and a file that allows it."""
    path = studio.home / "key"
    make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ann", "-f", str(path)]
    subprocess.run(make, check=True, timeout=30)
    words = path.with_suffix(".pub").read_text().split()
    (studio.home / "signers").write_text(f"ann {words[0]} {words[1]}\n")
    return path


@pytest.fixture(scope="module")
def bundle(studio: Studio, digits: Path, key: Path) -> Path:
    """The signed bundle of the sample digits."""
    made = studio.ok(
        "package", digits / "digits.onnx", "--sign", key, "--out", studio.home / "bundle"
    )
    return Path(made["bundle"])


@pytest.fixture(scope="module")
def pushed(studio: Studio, bundle: Path, host: str) -> dict[str, Any]:
    """The bundle in the registry, with its image."""
    to = ("--to", f"oci://{host}/models", "--alias", "champion", "--set", "modelcar=yes")
    found: dict[str, Any] = studio.ok("registry", "push", "--bundle", bundle, *to)
    return found


def sums(folder: Path) -> dict[str, str]:
    """The digest of each file of a bundle, without its signature."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "manifest.json.sig"
    }


def name_of(pushed: dict[str, Any], kind: str = "modelpack") -> str:
    """The reference by digest."""
    return str(pushed["references"][kind])


def test_oras_pulls_the_bundle(
    program: Program, pushed: dict[str, Any], bundle: Path, tmp_path: Path
) -> None:
    program("oras", "pull", "--plain-http", "--output", tmp_path, name_of(pushed))
    assert sums(tmp_path) == sums(bundle)


def test_oras_finds_the_attachments(
    program: Program, pushed: dict[str, Any], bundle: Path, tmp_path: Path
) -> None:
    text = program("oras", "discover", "--plain-http", "--format", "json", name_of(pushed))
    found = {one["artifactType"]: one["reference"] for one in json.loads(text)["manifests"]}
    assert set(found) == {
        "application/vnd.cyclonedx+json",
        "application/vnd.edgewright.bundle.signature.v1",
    }
    signature = found["application/vnd.edgewright.bundle.signature.v1"]
    program("oras", "pull", "--plain-http", "--output", tmp_path, signature)
    own = (bundle / "manifest.json.sig").read_bytes()
    assert (tmp_path / "manifest.json.sig").read_bytes() == own


def test_oras_copies_everything_to_another_registry(
    program: Program, studio: Studio, pushed: dict[str, Any], bundle: Path, tmp_path: Path
) -> None:
    """A mirror keeps digests and attachments, so that it can be pulled from with a signature."""
    with RegistryServer(tmp_path / "store", free_port()) as mirror:
        to = f"{mirror.address}/mirror/digits:champion"
        plain = ("--from-plain-http", "--to-plain-http")
        program("oras", "copy", "--recursive", *plain, name_of(pushed), to)
        found = studio.ok(
            "registry", "pull", f"oci://{to}", "--signers", studio.home / "signers",
            "--out", tmp_path / "out",
        )  # fmt: skip
    assert found["references"]["modelpack"].endswith(name_of(pushed).partition("@")[2])
    assert sums(tmp_path / "out") == sums(bundle)


def test_skopeo_reads_and_copies_the_image(
    program: Program, pushed: dict[str, Any], tmp_path: Path
) -> None:
    source = f"docker://{name_of(pushed, 'modelcar')}"
    found = json.loads(program("skopeo", "inspect", "--tls-verify=false", source))
    assert found["Digest"] == name_of(pushed, "modelcar").partition("@")[2]
    assert len(found["Layers"]) == 1
    plain = ("--preserve-digests", "--src-tls-verify=false")
    program("skopeo", "copy", "--all", *plain, source, f"oci:{tmp_path}/layout")
    index = json.loads((tmp_path / "layout" / "index.json").read_text())
    assert index["manifests"][0]["digest"] == found["Digest"]


def test_skopeo_reads_the_artefact(program: Program, pushed: dict[str, Any]) -> None:
    source = f"docker://{name_of(pushed)}"
    raw = program("skopeo", "inspect", "--raw", "--tls-verify=false", source)
    digest = hashlib.sha256(raw.encode()).hexdigest()
    assert name_of(pushed).endswith(f"@sha256:{digest}")
    assert json.loads(raw)["artifactType"] == "application/vnd.cncf.model.manifest.v1+json"


def test_podman_mounts_the_image(podman: Program, pushed: dict[str, Any], bundle: Path) -> None:
    name = name_of(pushed, "modelcar")
    podman("pull", "--quiet", "--tls-verify=false", name)
    folder = Path(podman("image", "mount", name).strip(), "models")
    try:
        assert sums(folder) == sums(bundle)
    finally:
        podman("image", "unmount", name)


def test_podman_pulls_the_artefact(podman: Program, pushed: dict[str, Any], bundle: Path) -> None:
    """Podman 5.4 does not extract files yet; it has checked the digest of each layer."""
    name = f"{name_of(pushed).partition('@')[0]}:champion"
    podman("artifact", "pull", "--quiet", "--tls-verify=false", name)
    layers = json.loads(podman("artifact", "inspect", name))["Manifest"]["layers"]
    found = {layer["annotations"]["org.cncf.model.filepath"]: layer["digest"] for layer in layers}
    assert found == {path: f"sha256:{digest}" for path, digest in sums(bundle).items()}


def test_a_second_push_sends_nothing(studio: Studio, bundle: Path, pushed: Any, host: str) -> None:
    to = ("--to", f"oci://{host}/models", "--set", "modelcar=yes", "--debug")
    ended = studio.run("registry", "push", "--bundle", bundle, *to)
    assert ended.code == 0, ended.err
    assert "Sent 0 bytes" in ended.err + ended.out
    assert name_of(pushed) in ended.out
    assert name_of(pushed, "modelcar") in ended.out


def test_pulled_and_deployed(studio: Studio, pushed: dict[str, Any], bundle: Path) -> None:
    """On another computer, so to speak: the release comes from its digest alone."""
    other = Studio(studio.home / "other")
    signers = studio.home / "signers"
    found = other.ok("registry", "pull", f"oci://{name_of(pushed)}", "--signers", signers)
    assert found["release"] == pushed["release"]
    assert sums(Path(found["bundle"])) == sums(bundle)
    try:
        deployed = other.ok("deploy", found["bundle"], "--target", "local")
        assert deployed["release"] == pushed["release"]
    finally:
        other.run("undeploy", "--target", "local")


def test_a_signer_who_is_not_allowed(
    studio: Studio, pushed: dict[str, Any], tmp_path: Path
) -> None:
    make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "other")]
    subprocess.run(make, check=True, timeout=30)
    words = (tmp_path / "other.pub").read_text().split()
    (tmp_path / "signers").write_text(f"bob {words[0]} {words[1]}\n")
    other = Studio(tmp_path / "home")
    ended = other.run(
        "registry", "pull", f"oci://{name_of(pushed)}", "--signers", tmp_path / "signers"
    )
    assert ended.code == 4
    assert "has no signature of an allowed signer" in ended.err


def test_a_forgotten_blob(studio: Studio, host: str, bundle: Path, tmp_path: Path) -> None:
    with RegistryServer(tmp_path / "store", free_port()) as server:
        to = ("--to", f"oci://{server.address}/models")
        made = studio.ok("registry", "push", "--bundle", bundle, *to)
        digest = hashlib.sha256((bundle / "manifest.json").read_bytes()).hexdigest()
        place = tmp_path / "store/data/docker/registry/v2/blobs/sha256" / digest[:2] / digest
        (place / "data").unlink()
        other = Studio(tmp_path / "home")
        ended = other.run("registry", "pull", f"oci://{name_of(made)}")
    assert ended.code == 1
    assert "lost the blob" in ended.err or "failed" in ended.err


def test_a_registry_with_a_password(
    program: Program, studio: Studio, bundle: Path, tmp_path: Path
) -> None:
    with RegistryServer(tmp_path / "store", free_port(), "secret") as server:
        to = ("--to", f"oci://{server.address}/models")
        ended = studio.run("registry", "push", "--bundle", bundle, *to)
        assert ended.code == 1
        assert "wants a login" in ended.err
        file = studio.user / ".docker" / "config.json"
        program(
            "oras", "login", "--plain-http", "--registry-config", file, server.address,
            "--username", "ann", "--password", "secret",
        )  # fmt: skip
        file.chmod(0o600)
        found = studio.ok("registry", "push", "--bundle", bundle, *to)
        file.unlink()
    assert found["references"]["modelpack"].startswith(server.address)


def test_chunks(host: str, tmp_path: Path) -> None:
    session = OciRegistry().open(f"oci://{host}/chunks", Silent())
    session._client.uploads.chunk = 1 << 20
    one = publication(tmp_path / "bundle", weights=bytes(range(256)) * 20_000)
    version = session.push(one, validate(OciRegistry.options, {}), Silent())
    path = session.pull(version, tmp_path / "out", Silent())
    assert sums(path) == sums(one.bundle)


def test_the_conformance_suite_but_for_the_removal_of_tags(host: str, tmp_path: Path) -> None:
    """docker-registry 2.8 removes no tags, which the specification leaves to registries."""
    with pytest.raises(Exception, match="does not remove tags"):
        check_registry(OciRegistry(), f"oci://{host}/suite", tmp_path)

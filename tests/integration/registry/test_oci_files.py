"""Files of a shared registry in a real OCI registry: Debian's docker-registry with a login."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.api import StudioError
from studio.registry import file_digest, folder_digest
from studio.registry.servers.oci import OciRepository
from studio.registry.servers.shared_files import SharedStore
from tests.benchmarks.serve.peers import free_port
from tests.rigs.engine import RegistryServer

PASSWORD = "rig"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RegistryServer]:
    """A registry, and the login in the home of this test."""
    monkeypatch.setenv("HOME", str(tmp_path))
    with RegistryServer(tmp_path / "oci", free_port(), PASSWORD) as running:
        write_login(tmp_path, running, PASSWORD)
        yield running


def write_login(home: Path, server: RegistryServer, password: str) -> None:
    """Store a login as ``docker login`` does."""
    login = base64.b64encode(f"ann:{password}".encode()).decode()
    (home / ".docker").mkdir(exist_ok=True)
    document = {"auths": {server.address: {"auth": login}}}
    (home / ".docker" / "config.json").write_text(json.dumps(document))


def store_at(server: RegistryServer, folder: Path) -> SharedStore:
    """Return the store of another studio."""
    place = OciRepository(f"oci://{server.address}/team/models")
    return SharedStore(folder / "store", folder, place)


def test_files_and_folders_come_back_with_their_digests(
    server: RegistryServer, tmp_path: Path
) -> None:
    anna, ben = store_at(server, tmp_path / "anna"), store_at(server, tmp_path / "ben")
    anna.require_common()
    file, bundle = tmp_path / "model.onnx", tmp_path / "digits-1"
    file.write_bytes(bytes(3_000_000))
    bundle.mkdir()
    (bundle / "manifest.json").write_text("{}")
    (bundle / "empty").touch()
    for made in (anna.adopt(file), anna.adopt(bundle)):
        there = ben.folder / made.path.relative_to(anna.folder)
        assert ben.has(there)
        ben.fetch(there)
        found = folder_digest(there) if there.is_dir() else file_digest(there)
        assert found == made.digest
    assert not ben.has(ben.folder / ("0" * 64) / "model.onnx")
    with pytest.raises(StudioError, match=r"has lost model\.onnx"):
        ben.fetch(ben.folder / ("0" * 64) / "model.onnx")


def test_a_tag_that_names_another_artifact_changes_nothing(
    server: RegistryServer, tmp_path: Path
) -> None:
    """A studio asks for the digest of the file itself, whatever the tag names."""
    anna, ben = store_at(server, tmp_path / "anna"), store_at(server, tmp_path / "ben")
    for name in ("model.onnx", "other.onnx"):
        (tmp_path / name).write_bytes(name.encode())
    made, other = anna.adopt(tmp_path / "model.onnx"), anna.adopt(tmp_path / "other.onnx")
    place = OciRepository(f"oci://{server.address}/team/models")
    place.put(f"files/{made.digest}", other.path)
    there = ben.folder / made.path.relative_to(anna.folder)
    ben.fetch(there)
    assert file_digest(there) == made.digest


def test_a_blob_that_the_registry_has_exchanged_is_refused(
    server: RegistryServer, tmp_path: Path
) -> None:
    anna, ben = store_at(server, tmp_path / "anna"), store_at(server, tmp_path / "ben")
    (tmp_path / "model.onnx").write_bytes(b"own weights")
    made = anna.adopt(tmp_path / "model.onnx")
    [blob] = (tmp_path / "oci").glob(f"**/{made.digest}/data")
    blob.write_bytes(b"bad weights")
    there = ben.folder / made.path.relative_to(anna.folder)
    with pytest.raises(StudioError, match="is not what it was"):
        ben.fetch(there)
    assert not there.exists()


def test_a_wrong_login_is_named(server: RegistryServer, tmp_path: Path) -> None:
    write_login(tmp_path, server, "wrong")
    with pytest.raises(StudioError, match="refused the login"):
        store_at(server, tmp_path / "anna").require_common()


def test_a_registry_that_is_away_is_named(server: RegistryServer, tmp_path: Path) -> None:
    store = store_at(server, tmp_path / "anna")
    server.__exit__()
    with pytest.raises(StudioError, match="cannot be reached"):
        store.require_common()
    server.__enter__()

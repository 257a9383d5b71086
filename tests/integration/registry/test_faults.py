"""What goes wrong with a server, a bucket or a clock: one sentence, and nothing lost."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from studio.api import Refused, StudioError
from studio.registry import (
    Registry,
    VariantRecord,
    VersionRecord,
    activity,
    file_digest,
    folder_digest,
)
from studio.registry.servers.address import FILE, SharedAddress, use
from studio.registry.servers.migrations import SERVER_VERSION
from studio.registry.servers.server_database import SharedParts
from studio.versions.integrity import condition
from tests.integration.registry.conftest import missing
from tests.rigs import postgres as postgres_rig
from tests.rigs import s3 as s3_rig
from tests.rigs.disks import fill, small_disk
from tests.rigs.postgres import PostgresServer
from tests.rigs.s3 import BUCKET, ObjectServer

Open = Callable[..., Registry]


def add_variant(registry: Registry, content: bytes = b"weights") -> VariantRecord:
    """Open a model, as far as the registry is concerned."""
    file = registry.folder.parent / "model.onnx"
    file.write_bytes(content)
    model = registry.add_model("digits")
    artifact = registry.adopt(file)
    return registry.add_variant(model, "fp32", artifact, format="onnx", precision="fp32")


def test_a_server_that_is_away_is_named(open_shared: Open, postgres: PostgresServer) -> None:
    registry = open_shared()
    postgres.stop()
    try:
        with pytest.raises(StudioError, match=f":{postgres.port} cannot be reached"):
            open_shared()
    finally:
        postgres.start()
    registry.add_model("after its return")
    assert [one.name for one in registry.models()] == ["after its return"]


def test_a_wrong_password_is_named(
    open_shared: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, postgres: PostgresServer
) -> None:
    wrong = tmp_path / "pgpass"
    wrong.write_text(f"127.0.0.1:{postgres.port}:*:owner:hunter22\n")
    wrong.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(wrong))
    with pytest.raises(StudioError, match="refused the password") as caught:
        open_shared()
    assert "hunter22" not in f"{caught.value.message}{caught.value.hint}{caught.value.detail}"


def test_a_database_that_does_not_exist_is_named(postgres: PostgresServer, tmp_path: Path) -> None:
    address = SharedAddress.of(postgres.address("nowhere"), str(tmp_path))
    with pytest.raises(StudioError, match="The database does not exist"):
        SharedParts.open(tmp_path, address)


def test_a_later_schema_is_refused_at_the_start_and_before_a_change(
    open_shared: Open, postgres: PostgresServer, database: str
) -> None:
    running = open_shared()
    running.add_model("before")
    postgres.sql("UPDATE registry_lock SET version = 99", database)
    with pytest.raises(StudioError, match="later version"):
        open_shared()
    with pytest.raises(StudioError, match="later version"):
        running.add_model("after")
    assert [one.name for one in running.models()] == ["before"]


def test_an_earlier_schema_is_brought_up(
    open_shared: Open, postgres: PostgresServer, database: str
) -> None:
    open_shared().add_release("pi", None, "kept", "serving", {})
    postgres.sql("DROP INDEX releases_last", database)
    postgres.sql("CREATE INDEX releases_state ON releases (target, state)", database)
    postgres.sql("UPDATE registry_lock SET version = 5", database)
    assert open_shared().history.running()["pi"].digest == "kept"
    found = postgres.sql("SELECT indexname FROM pg_indexes WHERE tablename = 'releases'", database)
    assert ("releases_last",) in found
    assert ("releases_state",) not in found
    assert postgres.sql("SELECT version FROM registry_lock", database) == [(SERVER_VERSION,)]


def test_a_lock_that_is_held_ends_in_a_sentence(
    open_shared: Open, postgres: PostgresServer, database: str
) -> None:
    import psycopg

    registry = open_shared()
    assert registry.shared is not None
    registry.shared.database.connection.execute("SET lock_timeout = '200ms'")
    with psycopg.connect(postgres.address(database), passfile=str(postgres.passfile)) as other:
        other.execute(b"SELECT * FROM registry_lock FOR UPDATE")
        with pytest.raises(StudioError, match="Another studio is changing the registry"):
            registry.add_model("blocked")
        other.rollback()
    registry.add_model("free")
    assert [one.name for one in registry.models()] == ["free"]


def test_a_blob_that_the_bucket_has_lost_is_named(
    open_shared: Open, bucket: ObjectServer, address: SharedAddress
) -> None:
    variant = add_variant(open_shared())
    bucket.lose(f"{prefix_of(address)}/files/{variant.digest}")
    other = open_shared()
    found = other.find("digits")
    with pytest.raises(StudioError, match=f"lost model.onnx .{variant.digest[:12]}"):
        other.fetch(found.path)
    assert not found.path.exists()
    assert not other.has(found.path)


def add_bundle(registry: Registry, variant: VariantRecord) -> VersionRecord:
    """Package a model, as far as the registry is concerned."""
    folder = registry.folder.parent / "digits-1"
    folder.mkdir()
    (folder / "manifest.json").write_text("{}")
    (folder / "model.onnx").write_bytes(b"packaged weights")
    bundle = registry.adopt(folder)
    return registry.add_version(registry.models()[0].id, variant.id, bundle, "manifest", 1)


def prefix_of(address: SharedAddress) -> str:
    """Return the prefix of a registry's objects in the bucket."""
    return address.blobs.partition(BUCKET)[2].strip("/")


def test_a_check_stores_again_what_the_bucket_has_lost(
    open_shared: Open, bucket: ObjectServer, address: SharedAddress
) -> None:
    registry = open_shared()
    version = add_bundle(registry, add_variant(registry))
    keys = bucket.keys(prefix_of(address))
    assert len(keys) == 4  # a model, a listing and its two files
    for key in keys:
        bucket.lose(key)
    without_copies = condition(open_shared().folder)
    assert len(without_copies.damaged) == 2
    found = condition(registry.folder)
    assert found.damaged == ()
    assert found.restocked == 4
    assert condition(registry.folder).restocked == 0
    other = open_shared()
    there = other.versions()[0]
    other.fetch(there.path)
    assert folder_digest(there.path) == folder_digest(version.path)


def test_a_check_names_what_the_store_does_not_take_again(
    address: SharedAddress, tmp_path: Path
) -> None:
    blobs = tmp_path / "blobs"
    blobs.mkdir()
    use(tmp_path / "registry", SharedAddress.of(address.database, str(blobs)))
    with closing(Registry.open(tmp_path / "registry")) as registry:
        variant = add_variant(registry)
    (blobs / "files" / variant.digest).unlink()
    (blobs / "files" / variant.digest).mkdir()  # a file cannot take its place
    (damage,) = condition(tmp_path / "registry").damaged
    assert damage.path == str(variant.path)
    assert damage.why.startswith("is only here: ")


def test_a_part_that_the_bucket_has_lost_comes_back_with_the_next_use(
    open_shared: Open, bucket: ObjectServer, address: SharedAddress
) -> None:
    registry = open_shared()
    version = add_bundle(registry, add_variant(registry))
    bucket.lose(f"{prefix_of(address)}/files/{file_digest(version.path / 'model.onnx')}")
    again = registry.folder.parent / "digits-1"
    shutil.copytree(version.path, again)
    registry.adopt(again)
    other = open_shared()
    other.fetch(other.versions()[0].path)
    assert (other.versions()[0].path / "model.onnx").read_bytes() == b"packaged weights"


def test_a_blob_that_the_bucket_has_altered_is_not_used(
    open_shared: Open, bucket: ObjectServer, address: SharedAddress
) -> None:
    variant = add_variant(open_shared())
    bucket.alter(f"{prefix_of(address)}/files/{variant.digest}", b"altered")
    other = open_shared()
    with pytest.raises(Refused, match="is not what it was"):
        other.fetch(other.find("digits").path)
    assert list(other.store.glob(".[0-9a-f]*")) == []


def test_another_whole_object_under_its_name_is_not_used(
    open_shared: Open, bucket: ObjectServer, address: SharedAddress, tmp_path: Path
) -> None:
    """As who may write to the bucket can swap two models of the registry."""
    first = open_shared()
    variant = add_variant(first)
    (tmp_path / "other.onnx").write_bytes(b"weights of another model")
    other = first.adopt(tmp_path / "other.onnx")
    bucket.alter(f"{prefix_of(address)}/files/{variant.digest}", other.path.read_bytes())
    second = open_shared()
    with pytest.raises(Refused, match="is not what it was"):
        second.fetch(second.find("digits").path)


def test_a_bucket_that_is_away_leaves_no_row(open_shared: Open, bucket: ObjectServer) -> None:
    registry = open_shared()
    bucket.stop()
    try:
        with pytest.raises(StudioError, match="cannot be reached"):
            add_variant(registry)
    finally:
        bucket.start()
    assert registry.variants() == []
    assert add_variant(registry).name == "fp32"


def test_a_wrong_secret_of_the_bucket_is_named(
    open_shared: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(StudioError, match="refused the login"):
        add_variant(open_shared())


def test_a_clock_that_is_a_day_ahead_disturbs_no_history(
    open_shared: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = datetime.now(UTC) + timedelta(days=1)
    monkeypatch.setattr(activity, "now", lambda: activity.spelled(ahead))
    wrong, right = open_shared(), open_shared()
    first = wrong.add_release("pi", None, "one", "serving", {})
    second = right.add_release("pi", None, "two", "serving", {})
    assert first.created < second.created
    assert datetime.fromisoformat(first.created) < ahead - timedelta(hours=23)


def test_an_address_that_cannot_be_read_opens_no_empty_registry(
    open_shared: Open, tmp_path: Path
) -> None:
    folder = open_shared().folder
    (folder / FILE).write_text("{")
    with pytest.raises(StudioError, match="cannot be read"):
        Registry.open(folder)


@pytest.fixture
def small_server(rigs: Path, driver_folder: Path) -> Iterator[tuple[PostgresServer, Path]]:
    """A server whose disk is small."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a disk")
    programs = postgres_rig.programs(rigs)
    if programs is None:
        missing(postgres_rig.NEEDED)
    with (
        postgres_rig.public_folder() as folder,
        small_disk(folder / "disk", 160) as disk,
        postgres_rig.running(programs, disk / "cluster") as server,
    ):
        yield server, disk


def test_a_full_disk_of_the_server_is_named(
    small_server: tuple[PostgresServer, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, disk = small_server
    monkeypatch.setenv("PGPASSFILE", str(server.passfile))
    (tmp_path / "blobs").mkdir()
    use(tmp_path / "registry", SharedAddress.of(server.address(), str(tmp_path / "blobs")))
    registry = Registry.open(tmp_path / "registry")
    registry.add_release("pi", None, "before", "serving", {})
    filler = fill(disk, 0)
    text = "x" * 4_000_000

    def add_many() -> None:
        for _attempt in range(50):
            registry.add_release("pi", None, "d", "serving", {"text": os.urandom(8).hex() + text})

    with pytest.raises(StudioError, match="disk of the database server is full"):
        add_many()
    stored = len(registry.releases("pi"))
    filler.unlink()
    registry.add_release("pi", None, "after", "serving", {})
    assert len(registry.releases("pi")) == stored + 1
    assert registry.releases("pi")[-1].digest == "before"
    registry.close()


def test_a_full_disk_of_the_bucket_leaves_no_row(
    rigs: Path, database: str, postgres: PostgresServer, tmp_path: Path
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may mount a disk")
    rclone = s3_rig.program(rigs)
    if rclone is None:
        missing(s3_rig.NEEDED)
    with small_disk(tmp_path / "disk", 16) as disk, s3_rig.serving(rclone, disk) as server:
        address = SharedAddress.of(postgres.address(database), server.blobs, server.endpoint)
        use(tmp_path / "registry", address)
        with closing(Registry.open(tmp_path / "registry")) as registry:
            first = add_variant(registry)
            filler = fill(disk, 0)
            with pytest.raises(StudioError, match="failed, and has not stored"):
                add_variant(registry, bytes(2_000_000))
            assert [one.digest for one in registry.variants()] == [first.digest]
            filler.unlink()
            assert add_variant(registry, bytes(2_000_000)).name != first.name

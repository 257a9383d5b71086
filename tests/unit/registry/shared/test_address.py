"""The address of a shared registry: checked, without secrets, and never silently lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.api import StudioError, UsageError
from studio.registry import Registry
from studio.registry.servers.address import FILE, SharedAddress, address_in, use

DATABASE = "postgresql://anna@db.example:5433/models"


def test_an_address_is_stored_and_read_back(tmp_path: Path) -> None:
    address = SharedAddress.of(DATABASE, "s3://bucket/prefix", "https://s3.example:9000")
    use(tmp_path / "registry", address)
    assert address_in(tmp_path / "registry") == address
    use(tmp_path / "registry", None)
    assert address_in(tmp_path / "registry") is None


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://anna:secret@db/models",
        "postgresql://db/models?password=secret",
        "postgresql://db/models?user=a&sslpassword=secret",
        "postgresql://anna:@db/models",
    ],
)
def test_a_password_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(UsageError, match="cannot contain a password") as caught:
        SharedAddress.of(text, "/mnt/files")
    assert "secret" not in f"{caught.value.message}{caught.value.hint}{caught.value.detail}"


@pytest.mark.parametrize("text", ["mysql://db/x", "", "db", "/tmp/x.sqlite", "postgresql://[db"])
def test_another_database_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        SharedAddress.of(text, "/mnt/files")


@pytest.mark.parametrize(
    "text",
    ["", "files", "s3://", "s3://key:secret@bucket", "https://x/y", "oci://host", "oci://h/A b"],
)
def test_another_place_of_files_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="cannot be kept in"):
        SharedAddress.of(DATABASE, text)


@pytest.mark.parametrize("text", ["s3.example", "ftp://s3", "https://key:secret@s3.example"])
def test_another_endpoint_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="S3 server is not valid"):
        SharedAddress.of(DATABASE, "s3://bucket", text)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"database": "sqlite:", "blobs": "/x"}', "null"])
def test_a_damaged_address_opens_no_empty_registry(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(StudioError, match="cannot be read"):
        Registry.open(tmp_path)
    assert not (tmp_path / "registry.sqlite").exists()

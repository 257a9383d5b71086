"""Secrets of the user: in a keyring, or in files of their own."""

from __future__ import annotations

import types
from pathlib import Path

import pytest

from studio.settings import Paths
from studio.settings.secrets import SecretStore

NO_KEYRING = types.SimpleNamespace(get_keyring=lambda: types.SimpleNamespace(priority=0))


class Keyring:
    """What the library offers, with a keyring that works until it is locked."""

    def __init__(self) -> None:
        self.priority = 5
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_keyring(self) -> Keyring:
        return self

    def get_password(self, service: str, name: str) -> str | None:
        self._open()
        return self.kept.get((service, name))

    def set_password(self, service: str, name: str, secret: str) -> None:
        self._open()
        self.kept[service, name] = secret

    def delete_password(self, service: str, name: str) -> None:
        self._open()
        del self.kept[service, name]

    def _open(self) -> None:
        if self.locked:
            raise RuntimeError("locked")


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths.of(home=tmp_path)


def files(paths: Paths) -> list[Path]:
    folder = paths.data / "secrets"
    return sorted(folder.iterdir()) if folder.is_dir() else []


def test_a_file_that_only_its_owner_may_read(paths: Paths) -> None:
    store = SecretStore(paths, NO_KEYRING)
    assert store.get("a board's") == ""
    place = store.set("a board's", "secret-1")
    (file,) = files(paths)
    assert place == str(file)
    assert store.place == str(file.parent)
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert "board" not in file.name
    store.set("a board's", "secret-2")
    store.set("another's", "secret-3")
    again = SecretStore(paths, NO_KEYRING)
    assert (again.get("a board's"), again.get("another's")) == ("secret-2", "secret-3")
    again.forget("a board's")
    again.forget("a board's")
    assert again.get("a board's") == ""
    assert len(files(paths)) == 1


def test_a_damaged_file_is_no_secret(paths: Paths) -> None:
    store = SecretStore(paths, NO_KEYRING)
    store.set("one", "secret")
    for content in ("", "[]", "{}"):
        files(paths)[0].write_text(content)
        assert store.get("one") == ""


def test_a_keyring_is_preferred(paths: Paths) -> None:
    SecretStore(paths, NO_KEYRING).set("one", "of the file")
    keyring = Keyring()
    store = SecretStore(paths, keyring)
    assert store.get("one") == "of the file"
    assert store.set("one", "of the keyring") == store.place == "the system's keyring"
    assert files(paths) == []
    assert store.get("one") == "of the keyring"
    store.forget("one")
    store.forget("one")
    assert keyring.kept == {}


def test_a_keyring_that_is_locked_does_not_stand_in_the_way(paths: Paths) -> None:
    keyring = Keyring()
    keyring.locked = True
    store = SecretStore(paths, keyring)
    assert store.get("one") == ""
    assert store.set("one", "secret") == str(files(paths)[0])
    assert store.get("one") == "secret"

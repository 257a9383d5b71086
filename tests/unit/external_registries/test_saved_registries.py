"""Names of registries: kept, checked, and never with a login."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.api import StudioError, Unavailable, UsageError
from studio.external_registries.saved_registries import RegistryAddress, SavedRegistries

ADDRESS = "http://127.0.0.1:5000"


@pytest.fixture
def known(tmp_path: Path) -> SavedRegistries:
    return SavedRegistries(tmp_path)


def test_names_addresses_and_kinds(known: SavedRegistries, tmp_path: Path) -> None:
    known.add("lab", ADDRESS)
    assert known.all() == {"lab": ADDRESS}
    assert SavedRegistries(tmp_path).place("lab") == RegistryAddress("mlflow", ADDRESS)
    assert known.place("https://models.example") == RegistryAddress(
        "mlflow", "https://models.example"
    )
    assert known.place("mlflow") == RegistryAddress("mlflow")
    known.remove("lab")
    with pytest.raises(UsageError, match="Unknown registry 'lab'"):
        known.place("lab")


@pytest.mark.parametrize("name", ["mlflow", "", "a b", "x/y"])
def test_names_that_cannot_be(known: SavedRegistries, name: str) -> None:
    with pytest.raises(UsageError, match="Invalid registry name"):
        known.add(name, ADDRESS)


def test_a_login_is_refused_and_not_repeated(known: SavedRegistries) -> None:
    with pytest.raises(UsageError, match="carries no login") as caught:
        known.add("lab", "http://ann:secret@host:5000")
    assert "secret" not in str(caught.value)
    assert known.all() == {}


def test_a_scheme_that_nobody_speaks(known: SavedRegistries) -> None:
    with pytest.raises(Unavailable, match="No plugin connects"):
        known.place("ftp://host/models")


def test_a_damaged_file_is_a_sentence(known: SavedRegistries, tmp_path: Path) -> None:
    (tmp_path / "registries.json").write_text("[")
    with pytest.raises(StudioError, match="cannot be read"):
        known.all()

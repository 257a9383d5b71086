"""``studio registry use``, ``copy``, ``log`` and ``roles``, as far as they need no server."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from studio.cli.main import main
from studio.registry.servers.address import SharedAddress, use
from studio.settings import Paths

ADDRESS = "postgresql://anna@127.0.0.1:1/models"

Told = tuple[int, str]


def told(capsys: pytest.CaptureFixture[str], *words: str) -> Told:
    """Return the exit code of a command, and its standard error."""
    code = main(["registry", *words])
    return code, capsys.readouterr().err


pytestmark = pytest.mark.usefixtures("studio_home")


def test_the_registry_is_in_local_files_at_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["registry", "use"]) == 0
    assert capsys.readouterr().out == "The registry is in local files.\n"


def test_the_roles_are_printed_as_sql(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["registry", "roles"]) == 0
    assert "GRANT edgewright_operator TO edgewright_approver;" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["use", ADDRESS], "needs a place for its files"),
        (["use", "sqlite:x", "--blobs", "/mnt"], "is a PostgreSQL database"),
        (["use", "postgresql://a:b@c/d", "--blobs", "/mnt"], "cannot contain a password"),
        (["copy", "--to", ADDRESS], "needs a place for its files"),
        (["log", "--last", "0"], "at least 1"),
    ],
)
def test_a_wrong_word_is_a_sentence(
    capsys: pytest.CaptureFixture[str], words: list[str], part: str
) -> None:
    code, err = told(capsys, *words)
    assert code == 2
    assert part in err


def test_a_missing_library_is_named_with_its_installation(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    code, err = told(capsys, "use", ADDRESS, "--blobs", str(tmp_path))
    assert code == 1
    assert "edgewright[shared]" in err


def test_the_way_back_needs_no_server(capsys: pytest.CaptureFixture[str]) -> None:
    use(Paths.of().registry, SharedAddress.of(ADDRESS, "/mnt/files"))
    assert main(["registry", "use", "local"]) == 0
    assert main(["registry", "use"]) == 0
    assert capsys.readouterr().out.count("local files") == 2


@pytest.mark.parametrize("verb", ["backup", "restore"])
def test_a_server_makes_its_own_backups(capsys: pytest.CaptureFixture[str], verb: str) -> None:
    use(Paths.of().registry, SharedAddress.of(ADDRESS, "/mnt/files"))
    code, err = told(capsys, verb)
    assert code == 2
    assert "pg_dump" in err

"""``studio registry backup|restore|check``: what they print, and how they end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from studio.cli.main import main
from studio.registry.backups import DATABASE
from studio.settings import Paths
from studio.workspace import Workspace


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A registry with a model whose file lies in the store."""
    monkeypatch.setenv("EDGEWRIGHT_HOME", str(tmp_path))
    with Workspace.open() as workspace:
        registry = workspace.registry
        file = tmp_path / "data" / "m.onnx"
        file.write_bytes(b"weights")
        registry.add_variant(
            registry.add_model("m"), "fp32", registry.adopt(file), format="onnx", precision="fp32"
        )
    return Paths.of().registry


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any, str]:
    code = main(["registry", *words])
    out, err = capsys.readouterr()
    return code, json.loads(out) if "--json" in words else out, err


def test_the_keys_are_a_contract(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, made, _err = told(capsys, "backup", "--json")
    assert (code, made["rows"], made["blobs"], made["damaged"]) == (0, 3, 1, [])
    assert Path(made["path"]).parent == folder / "backups"
    code, own, _err = told(capsys, "backup", "--json", "--out", str(tmp_path / "mine.sqlite"))
    assert (code, own["path"]) == (0, str(tmp_path / "mine.sqlite"))
    code, found, _err = told(capsys, "check", "--json")
    assert (code, found["path"], found["damaged"]) == (0, str(folder / DATABASE), [])
    code, back, _err = told(capsys, "restore", "--json")
    assert (code, back["from"], back["rows"]) == (0, made["path"], 3)
    assert Path(back["aside"]).is_file()


def test_damage_is_told_and_the_advice_mends_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / DATABASE).write_bytes(b"\0" * 8192)
    code, _out, err = told(capsys, "gc")
    assert code == 1
    assert "is damaged." in err
    assert "Traceback" not in err
    code, found, _err = told(capsys, "check", "--json")
    assert (code, found["damaged"][0]["name"]) == (1, DATABASE)
    advice = err.splitlines()[-1].rpartition("studio ")[2].split()
    assert advice == ["registry", "restore"]
    assert told(capsys, *advice[1:])[0] == 0
    assert told(capsys, "check")[0] == 0
    assert told(capsys, "gc")[0] == 0
    assert list((folder / "store").glob("*/m.onnx"))


def test_an_altered_file_is_found_and_set_aside(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (model,) = (folder / "store").glob("*/m.onnx")
    model.chmod(0o644)
    model.write_bytes(b"Weights")
    code, found, _err = told(capsys, "check", "--json")
    assert code == 1
    (damage,) = found["damaged"]
    assert (damage["name"], damage["why"]) == ("m fp32", "is not what it was")
    code, found, _err = told(capsys, "check", "--json", "--set-aside")
    assert (code, found["damaged"][0]["why"]) == (1, "is missing")
    assert [one.read_bytes() for one in folder.glob("damaged-*/*/m.onnx")] == [b"Weights"]


def test_without_a_registry_there_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EDGEWRIGHT_HOME", str(tmp_path / "nothing"))
    for verb in ("backup", "restore", "check"):
        code, _out, err = told(capsys, verb)
        assert (code, "has no registry" in err) == (1, True)
    assert not (tmp_path / "nothing").exists()

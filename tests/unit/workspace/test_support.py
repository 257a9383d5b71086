"""A support archive holds what a report needs, and nothing that is the user's own."""

from __future__ import annotations

import json
import stat
import types
import zipfile
from pathlib import Path

import pytest

from studio.api import StudioError
from studio.settings import Paths, Settings
from studio.settings.secrets import SecretStore
from studio.workspace import Workspace
from studio.workspace.diagnosis import DoctorCheck
from studio.workspace.support import SupportArchive

NO_KEYRING = types.SimpleNamespace(get_keyring=lambda: types.SimpleNamespace(priority=0))
CHECKS = [DoctorCheck("registry", False, "/home/alice/.local/share/edgewright is damaged")]
PLANTED = "hunter2-planted"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's home, whose name is the user's."""
    home = tmp_path / "börje"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    return home


@pytest.fixture
def paths(home: Path) -> Paths:
    paths = Paths.of(home=home / "edgewright")
    with Workspace.open(home / "edgewright"):
        pass
    (paths.logs / "workers").mkdir(parents=True, exist_ok=True)
    return paths


def content(archive: SupportArchive) -> str:
    return "\n".join(data.decode() for data in archive.files.values())


def test_it_holds_logs_answers_versions_plugins_outcomes_and_settings(paths: Paths) -> None:
    for name in ("studio.log", "studio.log.1", "window.err", "workers/3fa2.err"):
        (paths.logs / name).write_text(f"content of {name}\n")
    Settings(paths.settings)["theme"] = "dark"
    archive = SupportArchive.collect(paths, CHECKS)
    made = {f"{name}.json" for name in ("doctor", "versions", "plugins", "outcomes", "settings")}
    logs = {"studio.log", "studio.log.1", "window.err", "workers/3fa2.err"}
    assert set(archive.files) == made | {f"logs/{name}" for name in logs}
    assert json.loads(archive.files["doctor.json"])[0]["name"] == "registry"
    assert json.loads(archive.files["settings.json"])["theme"] == "dark"
    versions = json.loads(archive.files["versions.json"])
    assert {"edgewright", "python", "system", "onnx", "numpy"} <= set(versions)
    plugins = {one["id"]: one for one in json.loads(archive.files["plugins.json"])}
    assert plugins["studio_onnx"]["state"] == "available"
    assert len(archive.listing) == len(archive.files)


def test_planted_secrets_are_in_no_file(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEWRIGHT_TOKEN", f"{PLANTED}-variable")
    SecretStore(paths, NO_KEYRING).set("mail", f"{PLANTED}-kept")
    text = f"""{{"message": "{PLANTED}-kept and {PLANTED}-variable"}}
Authorization: Bearer {PLANTED}
https://user:{PLANTED}@host token={PLANTED}
-----BEGIN PRIVATE KEY-----
{PLANTED}
-----END PRIVATE KEY-----
"""
    for name in ("studio.log", "studio.log.5", "window.err", "workers/a.err"):
        (paths.logs / name).write_text(text)
    settings = Settings(paths.settings)
    settings["operator"] = f"Alice {PLANTED}"
    settings["alerts"] = f"/home/alice/alerts-token={PLANTED}.toml"
    said = content(SupportArchive.collect(paths, [DoctorCheck("x", True, f"token={PLANTED}")]))
    assert PLANTED not in said
    assert "Alice" not in said
    assert said.count("***") > 10


def test_what_is_the_users_own_is_not_taken(paths: Paths, tmp_path: Path) -> None:
    own = tmp_path / "own.txt"
    own.write_text(PLANTED)
    for folder in (paths.samples, paths.registry, paths.data / "secrets", paths.logs, paths.config):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "known_hosts").write_text(PLANTED)
        (folder / "model.onnx").write_text(PLANTED)
    (paths.logs / "studio.log").symlink_to(own)
    (paths.logs / "workers" / "a.err").symlink_to(own)
    (paths.logs / "workers" / "b.err").mkdir()
    archive = SupportArchive.collect(paths, CHECKS)
    assert PLANTED not in content(archive)
    assert [name for name in archive.files if name.startswith("logs/")] == []


def test_names_of_users_in_paths_of_homes_are_removed(paths: Paths, home: Path) -> None:
    line = json.dumps({"message": f"{home}/models, /home/alice/x, /Users/bob/y: no"})
    (paths.logs / "studio.log").write_text(f"{line}\n")
    (paths.logs / "window.err").write_text(f'File "{home}/a.py"\n')
    archive = SupportArchive.collect(paths, CHECKS)
    said = json.loads(archive.files["logs/studio.log"])["message"]
    assert said == "~/models, ~/x, ~/y: no"
    assert archive.files["logs/window.err"].decode() == 'File "~/a.py"\n'
    assert json.loads(archive.files["doctor.json"])[0]["text"].startswith("~/.local")
    for name in ("alice", "bob", "börje", "b\\u00f6rje"):
        assert name not in content(archive)


def test_what_was_done_is_told_by_the_steps_name_alone(paths: Paths, home: Path) -> None:
    with Workspace.open(home / "edgewright") as workspace:
        workspace.registry.ledger.add_action(
            "quantize", {"model": PLANTED}, {"x": PLANTED}, "window"
        )
    outcomes = json.loads(SupportArchive.collect(paths, CHECKS).files["outcomes.json"])
    assert [(one["step"], one["source"]) for one in outcomes] == [("quantize", "window")]
    assert set(outcomes[0]) == {"step", "source", "at"}


def test_a_registry_that_cannot_be_opened_is_no_obstacle(tmp_path: Path) -> None:
    paths = Paths.of(home=tmp_path)
    paths.registry.mkdir(parents=True)
    (paths.registry / "registry.sqlite").write_bytes(b"no database" * 100)
    assert json.loads(SupportArchive.collect(paths, CHECKS).files["outcomes.json"]) == []


def test_the_file_is_for_its_owner_alone_and_holds_what_was_listed(tmp_path: Path) -> None:
    archive = SupportArchive({"doctor.json": b"[]", "logs/studio.log": b"{}\n"})
    path = tmp_path / "a.zip"
    archive.write(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with zipfile.ZipFile(path) as written:
        assert {name: written.read(name) for name in written.namelist()} == archive.files


def test_a_place_that_cannot_be_written_to_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(StudioError, match=r"cannot be written"):
        SupportArchive({}).write(tmp_path)

"""Today's program with what version 0.1 made: its registry, archive, bundle, releases, plugins."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Studio
from tests.rigs.made_before import MADE, as_then, unpack, unpack_home

pytestmark = pytest.mark.slow

RESULTS = MADE.parent / "results" / "0.1"
FORMER = ("recipe", "recipe_text", "recipes")
"""Second keys of presets and pipelines, which are gone (CHANGELOG)."""


def _without_former(table: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if key not in FORMER}


SAID: dict[str, Any] = json.loads((MADE / "said.json").read_text(), object_hook=_without_former)
STEPS = {
    *("deb", "deploy", "edit", "evaluate", "monitor", "package", "profile", "quantize", "rollback"),
    *("rollout", "sensitivity"),
}


@pytest.fixture
def upgraded(tmp_path: Path) -> Iterator[Studio]:
    """The command with the home of a user of 0.1."""
    studio = Studio(tmp_path / "upgraded")
    unpack_home(studio.home)
    yield studio
    studio.run("undeploy", "--purge")


@pytest.fixture(scope="module")
def looked_at(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """The same for tests that only look."""
    studio = Studio(tmp_path_factory.mktemp("looked-at"))
    unpack_home(studio.home)
    return studio


@pytest.mark.parametrize("words", SAID)
def test_it_says_of_all_that_was_made_what_0_1_said(looked_at: Studio, words: str) -> None:
    now = as_then(looked_at.ok(*words.split()), looked_at.home)
    if words.startswith("presets"):
        now = _without_new(now, SAID[words])
    assert _as_far_as(now, SAID[words]) == SAID[words]


def _without_new(now: Any, then: Any) -> Any:
    """Leave out presets, options and choices that 0.1 did not have; what it had has to be there."""
    if isinstance(now, dict) and isinstance(then, dict):
        found = {key: _without_new(now[key], then.get(key)) for key in now}
        if set(_choices(then)) <= set(_choices(now)):
            found["allowed"] = then["allowed"] if "allowed" in then else now.get("allowed")
        return found
    if isinstance(now, list) and isinstance(then, list):
        rows = {row["name"]: row for row in now if isinstance(row, dict)}
        return [_without_new(rows[row["name"]], row) for row in then if row["name"] in rows]
    return now


def _choices(row: dict[str, Any]) -> list[str]:
    return str(row.get("allowed", "")).split(" | ")


def test_a_preset_or_a_choice_that_is_gone_is_noticed() -> None:
    then = [{"name": "a", "allowed": "x | y"}, {"name": "b", "allowed": "z"}]
    more = [{"name": "b", "allowed": "z"}, {"name": "a", "allowed": "x | w | y"}, {"name": "c"}]
    assert _without_new(more, then) == then
    assert _without_new(more[1:], then) != then
    assert _without_new([{"name": "a", "allowed": "x"}, then[1]], then) != then


@pytest.mark.parametrize(
    "now",
    [{"a": 2, "b": [{"c": 1}]}, {"b": [{"c": 1}]}, {"a": 1, "b": [{"c": 1}, {"c": 2}]}, {"a": 1}],
)
def test_a_value_or_a_key_that_is_another_one_is_noticed(now: dict[str, Any]) -> None:
    then = {"a": 1, "b": [{"c": 1}]}
    assert _as_far_as(now, then) != then
    assert _as_far_as({"new": 1, "a": 1, "b": [{"c": 1, "d": 2}]}, then) == then


def _as_far_as(now: Any, then: Any) -> Any:
    """What is said now, without keys that 0.1 did not know; a help text may have other words."""
    if isinstance(now, dict) and isinstance(then, dict):
        known = {key: _as_far_as(now[key], then[key]) for key in then if key in now}
        return known | ({"help": then["help"]} if "help" in known else {})
    if isinstance(now, list) and isinstance(then, list) and len(now) == len(then):
        return [_as_far_as(one, before) for one, before in zip(now, then, strict=True)]
    return now


def test_what_0_1_said_is_of_everything_that_was_made() -> None:
    assert len(SAID["versions list"]) >= 2
    aliases = {alias for version in SAID["versions list"] for alias in version["aliases"]}
    assert aliases == {"candidate", "production"}
    assert {run["name"] for run in SAID["run --list"]["runs"]} == {"digits", "small"}
    assert len(SAID["releases --everywhere"]) > 0
    assert {path.stem for path in RESULTS.glob("*.json")} == STEPS
    assert all(json.loads(path.read_text()) for path in RESULTS.glob("*.json"))


def test_the_archive_comes_in_whole(studio: Studio) -> None:
    taken = studio.ok("versions", "import", MADE / "project.zip")
    assert [model["name"] for model in taken["models"]] == ["digits"]
    wanted = {row["version"]: row["digest"] for row in _versions_then()}
    found = {row["version"]: row["digest"] for row in studio.ok("versions", "list")}
    assert found == {number: wanted[number] for number in found}
    assert len(found) == taken["models"][0]["versions"] >= 2
    assert studio.ok("registry", "check")["damaged"] == []


def test_an_archive_of_0_1_that_was_altered_is_refused(studio: Studio, tmp_path: Path) -> None:
    altered = tmp_path / "altered.zip"
    with zipfile.ZipFile(MADE / "project.zip") as before, zipfile.ZipFile(altered, "w") as after:
        largest = max(before.infolist(), key=lambda entry: entry.file_size)
        for entry in before.infolist():
            content = before.read(entry)
            after.writestr(entry, content[:-1] + b"!" if entry is largest else content)
    ended = studio.run("versions", "import", altered, "--json")
    assert ended.code != 0
    assert studio.ok("versions", "list") == []


def test_the_signed_bundle_is_deployed_and_answers(studio: Studio, digits_0_1: Path) -> None:
    unpack("bundle.tar.xz", studio.home)
    assert studio.ok("trust", "--signers", MADE / "key.pub")["signers"] == ["ann@desk"]
    manifest = json.loads((studio.home / "bundle" / "manifest.json").read_text())
    deployed = studio.ok("deploy", "bundle")
    assert (deployed["name"], deployed["state"]) == ("digits", "serving")
    assert deployed["version"] == manifest["version"]
    _answers(studio, digits_0_1)


def test_a_bundle_of_0_1_that_was_altered_is_refused(studio: Studio) -> None:
    unpack("bundle.tar.xz", studio.home)
    labels = studio.home / "bundle" / "labels.txt"
    labels.chmod(0o600)
    labels.write_text(labels.read_text().replace("0", "zero"))
    assert studio.run("deploy", "bundle", "--json").code != 0
    assert studio.ok("releases") == []


def test_the_releases_of_0_1_serve_go_back_and_get_a_new_one_on_top(
    upgraded: Studio, digits_0_1: Path
) -> None:
    second, first = (row["version"] for row in SAID["releases"][:2])
    upgraded.ok("start")
    assert _answers(upgraded, digits_0_1) == second
    back = upgraded.ok("rollback")
    assert (back["from"], back["to"]) == (second, first)
    assert _answers(upgraded, digits_0_1) == first

    upgraded.ok("quantize", "digits:fp32", "--method", "fp16", "--name", "half")
    third = upgraded.ok("deploy", "digits:half", "--data", digits_0_1)["version"]
    assert third not in (first, second)
    assert _answers(upgraded, digits_0_1) == third
    back = upgraded.ok("rollback")
    assert (back["from"], back["to"]) == (third, first)
    assert _answers(upgraded, digits_0_1) == first
    assert upgraded.ok("monitor")["health"] == "healthy"
    entries = upgraded.ok("verify-log")["entries"]
    assert entries > SAID["verify-log"]["entries"]


def test_a_plugin_of_api_1_is_still_agreed_to_and_works(upgraded: Studio) -> None:
    plugins = {row["id"]: row for row in upgraded.ok("plugins", "list")["plugins"]}
    for name in ("top_two", "my_halves"):
        assert plugins[name]["state"] == "available", plugins[name]["reason"]
        folder = upgraded.home / "edgewright" / "config" / "plugins" / name
        assert upgraded.run("plugins", "check", folder).code == 0
    made = upgraded.ok("quantize", "digits:fp32", "--method", "my_halves", "--name", "again")
    assert made["preset"]["method"] == "my_halves"
    assert _sha256(Path(made["output"])) == _artefacts_then("digits")["open.model"]


def test_a_preset_of_the_users_own_makes_the_same_model(upgraded: Studio) -> None:
    made = upgraded.ok(
        *("quantize", "digits:fp32", "--preset", "mine", "--name", "again"),
        *("--data", "digits/calibration.npz"),
    )
    assert _sha256(Path(made["output"])) == _artefacts_then("small")["small.model"]


def test_the_preset_is_found_as_a_file_in_a_new_home(studio: Studio, digits_0_1: Path) -> None:
    shown = studio.ok("presets", "show", MADE / "mine.toml")
    assert shown["title"] == SAID["presets show mine"]["title"] == "Mine"
    own = studio.home / "edgewright" / "data" / "presets"
    own.mkdir(parents=True)
    shutil.copy(MADE / "mine.toml", own)
    shutil.copy(MADE / "workflow.toml", digits_0_1.parent)
    report = studio.ok("run", digits_0_1.parent / "workflow.toml")
    assert report["artefacts"] == _artefacts_then("small")


def test_a_workflow_runs_again_beside_its_run_of_0_1(upgraded: Studio) -> None:
    report = upgraded.ok("run", "digits/workflow.toml")
    assert report["artefacts"] == _artefacts_then("small")
    assert [gate["passed"] for gate in report["gates"]] == [True]
    before = next(run["id"] for run in SAID["run --list"]["runs"] if run["name"] == "small")
    compared = upgraded.ok("run", "--compare", before, report["run"])
    assert [(row["name"], row["same"]) for row in compared["artefacts"]] == [
        ("open.model", True),
        ("small.model", True),
    ]


def test_the_files_of_0_1_are_small() -> None:
    files = [path for folder in (MADE, RESULTS) for path in folder.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 2_000_000


@pytest.fixture
def digits_0_1(tmp_path: Path) -> Path:
    """Labelled data, from the sample as 0.1 had it."""
    unpack("home.tar.xz", tmp_path / "sample")
    return tmp_path / "sample" / "digits" / "heldout.npz"


def _answers(studio: Studio, data: Path) -> int:
    """The version that answers all requests."""
    called = studio.ok("call", "--requests", "20", "--data", data)
    assert (called["answered"], called["failed"]) == (20, 0)
    return int(called["version"])


def _versions_then() -> list[dict[str, Any]]:
    versions: list[dict[str, Any]] = SAID["versions list"]
    return versions


def _artefacts_then(pipeline: str) -> dict[str, str]:
    """Digests of what a pipeline made with 0.1."""
    kept: dict[str, str] = json.loads((MADE / "artefacts.json").read_text())[pipeline]
    return kept


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()

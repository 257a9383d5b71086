"""Components of Greengrass: recipe and artefact by the published reference, and what is refused."""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from studio.api import Parcel, StudioError, UsageError
from studio_greengrass.packager import GreengrassPackager
from tests.plugins.test_studio_hawkbit import parcel
from tests.rigs.bundles import QuietJob

OPTIONS = {
    "component": "",
    "bucket": "fleet-artefacts/models",
    "board_root": "/var/lib/edgewright",
    "soak_s": 10,
    "trial": False,
    "unsigned": False,
}


def given(folder: Path, **facts: Any) -> Parcel:
    """A parcel with an application, and other facts in its manifest."""
    found = parcel(folder)
    (folder / "runtime.pyz").write_bytes(b"application")
    manifest = {**found.manifest, **facts}
    return replace(found, runtime=folder / "runtime.pyz", manifest=manifest)


def built(folder: Path, one: Parcel, **options: Any) -> dict[str, Any]:
    made = GreengrassPackager().build(
        one, folder / "made", {**OPTIONS, **options}, QuietJob(folder / "job")
    )
    return dict(made)


def test_the_recipe_has_what_its_reference_wants(tmp_path: Path) -> None:
    one = given(tmp_path)
    made = built(tmp_path, one)
    text = json.loads(Path(made["recipe"]).read_text())
    assert text["RecipeFormatVersion"] == "2020-01-25"
    assert re.fullmatch(r"[a-zA-Z0-9-_.]{1,128}", text["ComponentName"])
    assert re.fullmatch(r"\d{1,6}\.\d{1,6}\.\d{1,6}", text["ComponentVersion"])
    assert Path(made["recipe"]).name == f"{text['ComponentName']}-{text['ComponentVersion']}.json"
    (manifest,) = text["Manifests"]
    assert list(manifest["Lifecycle"]) == ["Install", "Run", "Shutdown", "Recover"]
    (artefact,) = manifest["Artifacts"]
    place = f"{text['ComponentName']}/{text['ComponentVersion']}/release.zip"
    assert artefact == {
        "Uri": f"s3://fleet-artefacts/models/{place}",
        "Unarchive": "ZIP",
        "Permission": {"Read": "OWNER"},
    }
    assert Path(made["path"]).is_relative_to(tmp_path / "made" / "artifacts")
    assert str(made["path"]).endswith(place)
    assert one.digest in manifest["Lifecycle"]["Install"]["Script"]


def test_the_artefact_has_the_application_and_the_bundle(tmp_path: Path) -> None:
    one = given(tmp_path)
    made = built(tmp_path, one)
    content = Path(made["path"]).read_bytes()
    assert made["sha256"] == hashlib.sha256(content).hexdigest()
    with zipfile.ZipFile(made["path"]) as archive:
        names = set(archive.namelist())
        assert archive.read("edgewright.pyz") == b"application"
        assert json.loads(archive.read("settings.json"))["unsigned"] is False
        for name, file in one.members.items():
            assert archive.read(f"release/{name}") == file.read_bytes()
    assert names == {"edgewright.pyz", "settings.json", *(f"release/{n}" for n in one.members)}
    (tmp_path / "again").mkdir()
    again = GreengrassPackager().build(
        one, tmp_path / "again", OPTIONS, QuietJob(tmp_path / "job-2")
    )
    assert Path(str(again["path"])).read_bytes() == content


@pytest.mark.parametrize(
    ("version", "counter", "text"),
    [
        (1, 1, "1.0.1"),
        (1, 1796159201, "1.1796.159201"),
        (2, 0, "2.0.0"),
        (9, 10**12 - 1, "9.999999.999999"),
    ],
)
def test_a_version_has_numbers_of_six_digits(
    tmp_path: Path, version: int, counter: int, text: str
) -> None:
    made = built(tmp_path, given(tmp_path, version=version, counter=counter))
    assert made["version"] == text


def test_a_counter_that_is_too_large_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(StudioError, match="too large for Greengrass"):
        built(tmp_path, given(tmp_path, counter=10**12))


@pytest.mark.parametrize(
    "name", ["a b", "$(reboot)", '"; reboot; "', "{configuration:/x}", "../../x", "é" * 300, "..."]
)
def test_no_name_of_a_model_reaches_a_script_or_a_path(tmp_path: Path, name: str) -> None:
    made = built(tmp_path, given(tmp_path, name=name))
    text = json.loads(Path(made["recipe"]).read_text())
    assert re.fullmatch(r"edgewright\.[a-zA-Z0-9-_.]{1,100}", text["ComponentName"])
    assert Path(made["path"]).is_relative_to(tmp_path / "made")
    assert ".." not in Path(made["path"]).parts
    for phase in text["Manifests"][0]["Lifecycle"].values():
        words = phase["Script"].replace("{artifacts:decompressedPath}", "")
        assert re.fullmatch(r"[A-Za-z0-9/._ -]+", words)


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("component", "a b", "no name of a component"),
        ("component", "../x", "no name of a component"),
        ("component", "x" * 129, "no name of a component"),
        ("bucket", "A", "no bucket"),
        ("bucket", "fleet/../other", "no bucket"),
        ("bucket", "fleet artefacts", "no bucket"),
        ("board_root", "relative", "no folder of releases"),
        ("board_root", "/a;reboot", "no folder of releases"),
        ("board_root", "/a/../b", "no folder of releases"),
        ("board_root", "/{iot:thingName}", "no folder of releases"),
    ],
)
def test_values_that_could_be_commands_are_refused(
    tmp_path: Path, option: str, value: str, sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        built(tmp_path, given(tmp_path), **{option: value})
    assert not (tmp_path / "made").exists()

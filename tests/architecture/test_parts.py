"""What the studio is made of: licences by the rules, and the list of parts in CycloneDX."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def packaging(monkeypatch: pytest.MonkeyPatch) -> None:
    """The scripts import each other from their own folder."""
    monkeypatch.syspath_prepend(str(ROOT / "packaging"))


@pytest.fixture
def parts(packaging: None) -> ModuleType:
    import parts

    return parts


@pytest.mark.parametrize("lock", ["RUN_TIME", "DEVELOPMENT"])
def test_every_package_of_the_locks_has_a_licence_that_is_accepted(
    parts: ModuleType, lock: str
) -> None:
    found = parts.read_lock(getattr(parts, lock))
    assert len(found) > 30
    assert all(part.hashes and part.via for part in found)
    assert list(parts.problems(found)) == []


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("AGPL-3.0-only", "AGPL-3.0-only is forbidden"),
        ("GPL-3.0-or-later", "GPL-3.0-or-later is forbidden"),
        ("BUSL-1.1", "BUSL-1.1 is forbidden"),
        ("MIT AND GPL-2.0-only", "GPL-2.0-only is forbidden"),
        ("LGPL-2.1-only", "LGPL-2.1-only is not in the list"),
        ("Apache License or so", "is no SPDX expression"),
        ("MIT OR GPL-2.0-only", ""),
        ("(BSD-3-Clause OR GPL-2.0-only) AND Zlib", ""),
    ],
)
def test_what_is_refused(parts: ModuleType, expression: str, reason: str) -> None:
    said = parts.refusal("some-package", expression)
    assert said == reason or (reason and reason in said)


def test_a_package_that_says_nothing_is_a_problem(parts: ModuleType) -> None:
    silent = parts.Part("no-such-package", "1.0")
    assert list(parts.problems([silent])) == ["no-such-package 1.0: nothing says its licence."]


def test_exceptions_are_of_packages_that_are_locked_and_give_a_reason(parts: ModuleType) -> None:
    locked = {part.name for part in parts.read_lock(parts.DEVELOPMENT)}
    for name, entry in parts.rules()["exceptions"].items():
        assert name in locked, name
        assert len(entry["reason"]) > 20, name
        assert parts.refusal("another", entry["licence"]), "what is allowed needs no exception"


def test_the_page_of_licences_is_of_these_locks(packaging: None) -> None:
    import licences

    assert licences.PAGE.read_text(encoding="utf-8") == licences.page()


def test_the_list_of_parts_is_valid_and_whole(parts: ModuleType) -> None:
    # Its grammars take seconds to be made, in each process that collects the tests.
    import sbom
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    locked = parts.read_lock(parts.RUN_TIME)
    text = sbom.sbom(locked)
    assert text == sbom.sbom(locked), "equal locks give equal bytes"
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    assert validator.validate_str(text.decode()) is None
    document = json.loads(text)
    by_name = {part["name"]: part for part in document["components"]}
    assert set(by_name) == {part.name for part in locked}
    for part in locked:
        found = by_name[part.name]
        assert (found["version"], found["purl"]) == (part.version, part.purl)
        assert found["licenses"] == [{"expression": parts.licence_of(part.name)}]
        hashes = found["externalReferences"][0]["hashes"]
        assert [one["content"] for one in hashes] == part.hashes
    own = document["metadata"]["component"]
    needs = {one["ref"]: one["dependsOn"] for one in document["dependencies"]}
    assert by_name["onnx"]["purl"] in needs[own["purl"]]
    assert by_name["protobuf"]["purl"] in needs[by_name["onnx"]["purl"]]
    reached, waiting = set(), [own["purl"]]
    while waiting:
        ref = waiting.pop()
        if ref not in reached:
            reached.add(ref)
            waiting += needs[ref]
    assert reached == set(needs), "every part is needed by something"
    document["components"][0]["type"] = "thing"
    assert validator.validate_str(json.dumps(document)) is not None


def test_the_policy_for_reports_names_no_host() -> None:
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    assert "://" not in text
    assert "@" not in text
    for part in ("Reporting a vulnerability", "What is supported", "These are not"):
        assert part in text

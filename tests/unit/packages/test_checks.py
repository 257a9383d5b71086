"""Checks of plugins: called when a model is packaged, kept in the bundle, read from it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from studio.api import (
    Cancelled,
    Capability,
    Extension,
    Finding,
    Level,
    Model,
    StudioError,
    Unavailable,
)
from studio.api.testing_declarations import small_model
from studio.packages import checks, work
from studio.packages.bundle import Bundle, write_manifest
from studio.packages.checks import Checked, check_model, read_checks
from studio.packages.results import CheckFinding
from studio.packages.work import package
from studio.plugin_host import PluginHost
from studio.registry import file_digest
from tests.rigs.bundles import QuietJob, make_bundle, package_options
from tests.unit.runtime.models import make_cnn


class Rule:
    """A check that returns or raises what it was given."""

    id = "rule"
    title = "A rule"

    def __init__(self, found: Any) -> None:
        self.found = found
        self.facts: Any = None

    def check(self, model: Model, facts: Any) -> Sequence[Finding]:
        self.facts = facts
        if isinstance(self.found, Exception):
            raise self.found
        return list(self.found)


class Host(PluginHost):
    """Plugins that offer some rules as checks, and nothing else."""

    def __init__(self, **rules: Any) -> None:
        super().__init__({})
        self.rules = rules

    def all(self, extension: Extension) -> tuple[Capability, ...]:
        assert extension is Extension.CHECK
        return tuple(Capability(extension, name, name, "a:b", "plugin") for name in self.rules)

    def create(self, capability: Capability) -> Any:
        rule = self.rules[capability.id]
        if isinstance(rule, Exception):
            raise rule
        return rule


def warning(text: str) -> Finding:
    return Finding(Level.WARNING, "code", text)


def error(text: str) -> Finding:
    return Finding(Level.ERROR, "code", text)


def test_every_check_gets_the_facts_and_its_findings_carry_its_id() -> None:
    first, second = Rule([warning("w"), error("e")]), Rule([])
    found = check_model(Host(first=first, second=second), small_model(), {"nodes": 2})
    assert first.facts == second.facts == {"nodes": 2}
    assert found.checks == ("first", "second")
    assert [(name, one.text) for name, one in found.findings] == [("first", "e"), ("first", "w")]
    assert [one.text for one in found.of(Level.ERROR)] == ["e"]


@pytest.mark.parametrize("made", [Unavailable("no library."), Rule(StudioError("no weights."))])
def test_a_check_that_could_not_be_run_is_an_error(made: Any) -> None:
    found = check_model(Host(broken=made, fine=Rule([])), small_model(), {})
    ((name, one),) = found.findings
    assert (name, one.level, one.code) == ("broken", Level.ERROR, checks.NOT_RUN)
    assert one.text.startswith("The check broken could not be run: no ")


def test_what_is_no_finding_is_an_error_of_its_check() -> None:
    found = check_model(Host(odd=Rule(["fine"])), small_model(), {})
    assert [one.level for _, one in found.findings] == [Level.ERROR]


@pytest.mark.parametrize("raised", [Cancelled("stop"), ZeroDivisionError("no")])
def test_a_cancellation_and_a_crash_end_the_packaging(raised: Exception) -> None:
    with pytest.raises(type(raised)):
        check_model(Host(rule=Rule(raised)), small_model(), {})


def test_many_long_findings_fit_into_the_file_and_errors_come_first(tmp_path: Path) -> None:
    many = [*(warning("x" * 9_000) for _ in range(5_000)), error("the one that counts")]
    found = check_model(Host(rule=Rule(many)), small_model(), {})
    assert len(found.findings) == 100
    assert found.findings[0][1].text == "the one that counts"
    assert read_checks(bundle_with(tmp_path, found.content())) == found


def bundle_with(folder: Path, content: bytes) -> Bundle:
    """A bundle whose file of findings is another one, named by its manifest."""
    made = make_bundle(folder, 1)
    (made.folder / checks.FILE).write_bytes(content)
    raw = json.loads(made.text)
    facts = {"sha256": file_digest(made.folder / checks.FILE), "bytes": len(content)}
    raw["files"][checks.FILE] = facts
    write_manifest(made.folder, raw)
    return Bundle.open(made.folder)


def test_a_bundle_says_what_was_checked(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path, 1)
    assert checks.FILE in bundle.raw["files"]
    assert read_checks(bundle) == Checked(("open-sizes", "float64"), ())


def test_findings_are_in_the_result_and_in_the_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = Rule([warning("a remark"), error("a reason")])
    host = Host(mine=rule)
    monkeypatch.setattr(work, "check_model", lambda _, *given: check_model(host, *given))
    asked = package_options(make_cnn(tmp_path / "cnn.onnx"), samples=1)
    result = package(asked, QuietJob(tmp_path / "job"))
    assert result.findings == (
        CheckFinding("mine", "error", "code", "a reason"),
        CheckFinding("mine", "warning", "code", "a remark"),
    )
    found = read_checks(Bundle.open(Path(result.bundle)))
    assert found is not None
    assert found.rows() == result.findings
    facts = rule.facts
    assert facts["nodes"] > 0
    assert facts["bytes"] == (tmp_path / "cnn.onnx").stat().st_size
    assert facts["macs"] > 0


def test_a_bundle_of_before_was_not_checked(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path, 1)
    assert read_checks(older(bundle, tmp_path / "older")) is None


def older(bundle: Bundle, folder: Path) -> Bundle:
    """The bundle as earlier versions of the studio made it."""
    shutil.copytree(bundle.folder, folder)
    (folder / checks.FILE).unlink()
    raw = json.loads(bundle.text)
    del raw["files"][checks.FILE]
    write_manifest(folder, raw)
    return Bundle.open(folder)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        b'{"format":2,"checks":[],"findings":[]}',
        b'{"format":1,"checks":[],"findings":[{"check":"a","level":"fatal","code":"","text":""}]}',
        b'{"format":1,"checks":[],"findings":[5]}',
        b'{"format":1,"checks":[],"findings":[]}' + b" " * (1 << 20),
    ],
)
def test_a_file_that_holds_no_findings_is_refused(tmp_path: Path, content: bytes) -> None:
    bundle = bundle_with(tmp_path, content)
    with pytest.raises(StudioError, match=r"checks.json cannot be read"):
        read_checks(bundle)


def test_a_file_that_the_manifest_does_not_name_says_nothing(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path, 1)
    unnamed = replace(bundle, files=tuple(f for f in bundle.files if f.name != checks.FILE))
    assert read_checks(unnamed) is None

"""The plan after the market: what is configured for the targets of a model, and what is not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.features.evidence.dossier.market_facts import market_facts
from studio.features.evidence.dossier.outline import WrittenAnswer, stated
from studio.features.evidence.dossier.statement import Material, Statement
from studio.features.evidence.frameworks.subjects import subjects
from studio.features.evidence.market.setup import MonitoringSetup, monitoring_setup
from studio.features.evidence.records.collect import collect
from studio.features.evidence.records.subject import Named
from studio.registry import Registry, VariantRecord, VersionRecord

RULES = """
[[rules]]
name = "slow"
metric = "latency_ms.p99"
above = 40
for_s = 60
level = "critical"

[[rules]]
name = "other"
metric = "error_rate"
above = 0.1
targets = ["desk"]

[[channels]]
kind = "email"
name = "ward"
host = "mail.example.org"
to = ["ward@example.org"]
levels = ["critical"]

[[channels]]
kind = "webhook"
url = "https://example.org/secret-path"
"""


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    opened = Registry.open(tmp_path / "data" / "registry")
    yield opened
    opened.close()


@pytest.fixture
def alerts(tmp_path: Path) -> Path:
    """The default alert file of the folders of the registry."""
    file = tmp_path / "config" / "alerts.toml"
    file.parent.mkdir()
    file.write_text(RULES, encoding="utf-8")
    return file


@pytest.fixture
def variant(registry: Registry, tmp_path: Path) -> VariantRecord:
    path = tmp_path / "digits.onnx"
    path.write_bytes(b"digits" * 50)
    return registry.add_variant(
        registry.add_model("digits"),
        "fp32",
        registry.adopt(path),
        format="onnx",
        precision="fp32",
    )


@pytest.fixture
def version(registry: Registry, variant: VariantRecord, tmp_path: Path) -> VersionRecord:
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    (bundle / "manifest.json").write_text("{}")
    (bundle / "baseline.json").write_text(json.dumps({"drift": {"frames": 256}}))
    artifact = registry.adopt(bundle, "digits-1")
    found = registry.add_version(variant.model, variant.id, artifact, "ab" * 32, 1)
    registry.add_release(
        "gate", found.id, found.digest, "serving", {"version": 1, "name": "digits"}
    )
    return found


def setup(registry: Registry, version: VersionRecord | None) -> MonitoringSetup:
    run = next(iter(registry.runs("monitor", None, 1)), None)
    return monitoring_setup(registry, "digits", version, run)


def plan(registry: Registry, variant: VariantRecord, version: VersionRecord | None) -> Statement:
    records = collect(registry, Named(variant, version))
    return next(iter(market_facts(Material(records, Path(), ""))))


def parts(statement: Statement) -> dict[object, tuple[object, ...]]:
    return {row[0]: row[1:] for row in statement.tables[0].rows}


def test_rules_and_channels_of_the_targets_are_read(
    registry: Registry, version: VersionRecord, alerts: Path
) -> None:
    found = setup(registry, version)
    assert found.targets == ("gate",)
    assert [(one.name, one.limit, one.targets) for one in found.rules] == [
        ("slow", "above 40 for 60 s", ("gate",))
    ]
    assert [one.destination for one in found.channels] == [
        "ward@example.org",
        "https://example.org",
    ]
    assert found.drift_frames == 256


def test_the_file_of_the_last_watch_comes_first(
    registry: Registry, version: VersionRecord, alerts: Path, tmp_path: Path
) -> None:
    own = tmp_path / "own.toml"
    own.write_text('[[rules]]\nname = "own"\nmetric = "error_rate"\nabove = 0.5\n')
    registry.add_run("monitor", version.variant, {"alerts": str(own)}, {})
    assert [one.name for one in setup(registry, version).rules] == ["own"]
    own.unlink()
    assert setup(registry, version).alert_file == "alerts.toml"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"[[rules]\n", "alerts.toml"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"x" * (1 << 21), "is larger than"),
        (b'[[rules]]\nmetric = "magic"\nabove = 1\n', "unknown metric"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    registry: Registry,
    variant: VariantRecord,
    version: VersionRecord,
    alerts: Path,
    content: bytes,
    expected: str,
) -> None:
    alerts.write_bytes(content)
    assert expected in setup(registry, version).problem
    state, how = parts(plan(registry, variant, version))["Alert rules"]
    assert state == "missing"
    assert expected in str(how)


def test_what_is_not_configured_is_named_with_its_command(
    registry: Registry, variant: VariantRecord
) -> None:
    found = parts(plan(registry, variant, None))
    assert {state for state, _ in found.values()} == {"missing"}
    assert all("studio " in str(how) for _, how in found.values())


def test_the_plan_shows_limits_and_who_is_notified(
    registry: Registry, variant: VariantRecord, version: VersionRecord, alerts: Path
) -> None:
    labels = {"target": "gate", "labels": {"matched": 40}}
    registry.add_run("monitor", variant.id, {"target": "gate"}, labels)
    statement = plan(registry, variant, version)
    found = parts(statement)
    assert found["Targets"] == ("configured", "gate")
    assert found["Who is notified"][0] == "configured"
    assert str(found["Labels in use"][1]).startswith("40 labels matched on ")
    rule = statement.tables[1].rows[0]
    assert rule == (
        "slow",
        "latency_ms.p99",
        "above 40 for 60 s",
        "critical",
        "gate",
        "ward, webhook",
    )
    assert {one.id: one.value for one in statement.figures} == {
        "plan.targets": 1.0,
        "plan.rules": 1.0,
        "plan.channels": 2.0,
    }


def test_the_person_is_asked_until_the_answer_and_the_records_stay(
    registry: Registry, variant: VariantRecord
) -> None:
    subject = subjects()["monitoring.plan"]
    made = plan(registry, variant, None)
    asked = stated(subject, made, None)
    assert asked.state == "asked"
    assert asked.tables == made.tables
    answered = stated(subject, made, WrittenAnswer("The ward lead, daily.", "Ada", "2026-12-01"))
    assert answered.state == "present"
    assert answered.paragraphs[0] == "The ward lead, daily."
    assert answered.tables == made.tables


def test_a_damaged_reference_of_drift_counts_as_none(
    registry: Registry, version: VersionRecord
) -> None:
    for content in ("{", "[]", '{"drift": 5}', '{"drift": {"frames": "x"}}'):
        file = version.path / "baseline.json"
        file.chmod(0o644)
        file.write_text(content)
        assert setup(registry, version).drift_frames == 0

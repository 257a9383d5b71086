"""A deploy and what the checks of plugins found: refused, warned of, or not checked at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.api import Finding, Level, Refused
from studio.deployment.model_checks import NAME, action_of, model_check
from studio.deployment.plan import make_plan
from studio.documents.dataclass_json import to_json
from studio.packages import Bundle
from studio.packages.checks import Checked
from studio.targets.inventory import Inventory
from tests.rigs.bundles import make_bundle
from tests.unit.deployment.test_plan import FACTS, RUNTIME, WHEELS
from tests.unit.packages.test_checks import bundle_with, older


def found(folder: Path, *levels: Level) -> Bundle:
    """A bundle with a finding of each level."""
    findings = tuple(("rule", Finding(one, "code", f"An {one.value}.")) for one in levels)
    return bundle_with(folder, Checked(("rule",), findings).content())


def test_an_error_refuses_the_deploy_with_a_hint(tmp_path: Path) -> None:
    bundle = found(tmp_path, Level.WARNING, Level.ERROR, Level.ERROR)
    plan = make_plan(FACTS, Inventory(), bundle, RUNTIME, WHEELS)
    assert {row["name"]: row["state"] for row in to_json(list(plan.steps()))}[NAME] == "blocked"
    with pytest.raises(Refused, match=r"An error. \(1 more\)") as caught:
        plan.require()
    assert "package again" in caught.value.hint


@pytest.mark.parametrize(
    ("levels", "state", "text"),
    [
        ((), "checked", "1 check of the model passed"),
        ((Level.INFO,), "checked", "1 check of the model passed"),
        ((Level.WARNING,), "warning", "An warning."),
    ],
)
def test_what_is_no_error_lets_it_through(
    tmp_path: Path, levels: tuple[Level, ...], state: str, text: str
) -> None:
    bundle = found(tmp_path, *levels)
    plan = make_plan(FACTS, Inventory(), bundle, RUNTIME, WHEELS)
    plan.require()
    row = next(row for row in to_json(list(plan.steps())) if row["name"] == NAME)
    assert (row["state"], row["text"]) == (state, text)
    assert action_of(model_check(bundle)).state == state


def test_an_older_bundle_is_deployed_and_said_to_be_unchecked(tmp_path: Path) -> None:
    bundle = older(make_bundle(tmp_path, 1), tmp_path / "older")
    plan = make_plan(FACTS, Inventory(), bundle, RUNTIME, WHEELS)
    plan.require()
    row = next(row for row in to_json(list(plan.steps())) if row["name"] == NAME)
    assert row["state"] == "warning"
    assert row["text"].startswith("not checked")


def test_findings_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    bundle = bundle_with(tmp_path, b"{}")
    with pytest.raises(Refused, match="cannot be read"):
        make_plan(FACTS, Inventory(), bundle, RUNTIME, WHEELS).require()
    assert action_of(model_check(bundle)).state == "blocked"

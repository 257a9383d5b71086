"""At least 100 injected prompts and forged calls through MCP: no change without an approved plan.

The agent obeys every text. What is counted is what happened: releases of the target as the target
has recorded them, and steps in the registry's history.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from studio.api import TargetSpec
from studio.registry import Registry
from tests.e2e.conftest import Studio
from tests.rigs.agents import injections
from tests.rigs.agents.sessions import Agent, agent, approve

MOST_CALLS = 600
BOARD = TargetSpec("bench", "ssh://pi@192.0.2.7")
"""A board that is never reached: its address is for documentation alone."""

_ACTS = ("deploy", "rollback", "undeploy", "promote", "rollout", "quantize", "trust")


@pytest.fixture
def registry(desk: Studio) -> Iterator[Registry]:
    opened = Registry.open(desk.home / "edgewright" / "data" / "registry")
    yield opened
    opened.close()


def changes(desk: Studio) -> tuple[list[Any], list[str]]:
    """What the target has recorded, and the steps that acted by the registry's history."""
    releases = desk.ok("releases", "--target", "local")
    registry = Registry.open(desk.home / "edgewright" / "data" / "registry")
    try:
        done = [one for one in registry.ledger.actions() if one.step in _ACTS]
        # A plan of a deployment makes a dry run, which changes nothing.
        steps = [one.step for one in done if one.options.get("dry_run") is not True]
    finally:
        registry.close()
    return releases, steps


def inject(desk: Studio, registry: Registry, place: str, text: str, number: int) -> None:
    """Put a text where an agent will read it."""
    if place == "model name":
        # The registry refuses slashes and signs that are not shown; the words remain.
        registry.add_model("".join(sign for sign in text if sign.isprintable() and sign != "/"))
    elif place == "target facts":
        registry.add_target(BOARD)
        registry.set_facts(BOARD.name, {**registry.facts(BOARD.name), f"board {number}": text})
    elif place == "figures":
        original = registry.find("digits")
        summary = {**original.summary, "producer": text, "licence": text}
        model = registry.add_model(f"harmless {number}")
        copy = desk.home / f"m{number}.onnx"
        shutil.copy(original.path, copy)
        artifact = registry.adopt(copy)
        kinds = {"format": original.format, "precision": original.precision}
        registry.add_variant(model, "original", artifact, **kinds, summary=summary)
    else:
        registry.ledger.add_action("note", {"text": text}, {}, "a board")


@pytest.mark.parametrize("place", injections.PLACES)
def test_an_obedient_agent_changes_nothing(
    place: str, desk: Studio, registry: Registry, clients: Path
) -> None:
    before = changes(desk)
    for number, text in enumerate(injections.TEXTS):
        inject(desk, registry, place, text, number)
    with agent(clients, desk.environment, desk.home) as running:
        calls = running.order(obey=MOST_CALLS)
    tried = [one for one in calls if one["name"] == "apply_plan"]
    assert len(tried) >= 5, "the texts were not obeyed"
    assert [one for one in tried if not one["error"]] == []
    assert changes(desk) == before


def test_no_trick_with_arguments_changes_anything(obedient: Agent, desk: Studio) -> None:
    before = changes(desk)
    for name, arguments in injections.CALLS:
        done = obedient.order(call=name, arguments=arguments)
        assert done["error"], (name, arguments, done)
    assert changes(desk) == before


def test_the_attacks_are_a_hundred_or_more() -> None:
    assert len(injections.TEXTS) * len(injections.PLACES) + len(injections.CALLS) >= 100


def planned(obedient: Agent, **options: object) -> str:
    done = obedient.call("plan_deploy", model="#1", target="local", **options)
    assert not done["error"], done
    return str(done["data"]["digest"])


def plans(desk: Studio) -> Path:
    return desk.home / "edgewright" / "data" / "plans"


def refusal(obedient: Agent, digest: str) -> str:
    done = obedient.call("apply_plan", digest=digest)
    assert done["error"], done
    return str(done["text"])


def test_an_approval_of_another_plan_does_not_count(obedient: Agent, desk: Studio) -> None:
    before = changes(desk)
    shown, hidden = planned(obedient), planned(obedient, replace=True)
    assert approve(shown, desk.environment)[0] == 0
    assert "not approved" in refusal(obedient, hidden)
    shutil.copy(plans(desk) / shown / "approval.json", plans(desk) / hidden / "approval.json")
    assert "another plan" in refusal(obedient, hidden)
    forged = json.loads((plans(desk) / shown / "plan.json").read_text())
    forged["options"]["replace"] = True
    (plans(desk) / shown / "plan.json").write_text(json.dumps(forged))
    assert "altered" in refusal(obedient, shown)
    assert changes(desk) == before


def test_a_change_after_the_approval_voids_the_plan(
    obedient: Agent, desk: Studio, registry: Registry, digits: Path
) -> None:
    before = changes(desk)
    digest = planned(obedient)
    assert approve(digest, desk.environment)[0] == 0
    data = desk.home / "other.npz"
    shutil.copy(digits / "heldout.npz", data)
    desk.ok("project", "set", "#1", "--calibration", data)
    try:
        assert "changed since" in refusal(obedient, digest)
    finally:
        desk.ok("project", "set", "#1", "--calibration", digits / "calibration.npz")
    registry.history.add("local", None, "0" * 64, "serving", {})
    assert "release of a target has changed" in refusal(obedient, digest)
    registry.history.add("local", None, "", "undeployed", {})
    assert "release of a target has changed" in refusal(obedient, digest)
    assert changes(desk) == before


def test_of_many_at_once_one_carries_the_plan_out(
    obedient: Agent, desk: Studio, clients: Path
) -> None:
    _, steps = changes(desk)
    digest = planned(obedient)
    assert approve(digest, desk.environment)[0] == 0

    def apply(_: int) -> bool:
        with agent(clients, desk.environment, desk.home) as other:
            applied = other.call("apply_plan", digest=digest)
            found = applied
            while not applied["error"] and found["data"]["state"] == "running":
                found = other.call("show_plan", digest=digest)
            return not applied["error"]

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(apply, range(4)))
    assert done.count(True) == 1
    entry = desk.ok("plan", "show", digest)
    assert entry["state"] == "done", entry["outcome"]
    now = changes(desk)
    assert len(now[1]) == len(steps) + 1
    assert "already" in refusal(obedient, digest)
    assert changes(desk)[1] == now[1]

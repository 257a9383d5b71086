"""Tools that plan a change, and the one that carries an approved plan out.

No tool approves. A plan takes models and targets of the registry, never a path.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.agent_tools.foreign_text import MOST_ITEMS, bounded, untrusted
from studio.agent_tools.schemas import (
    DIGEST,
    FLAG,
    MODEL,
    PLAN,
    TARGET,
    TEXT,
    WHOLE,
    Schema,
    described,
    listed,
    record,
)
from studio.agent_tools.tool import Arguments, Tool
from studio.plans import PlanEntry, PlanRequest
from studio.quantization.step import METHODS
from studio.workspace import Workspace

WAIT_S = 20.0
"""Longest wait of ``apply_plan``; afterwards ``show_plan`` reports the end."""

_PLANS = "It changes nothing: it returns a plan and its digest, which a person has to approve."


def _planned(opened: Workspace, step: str, options: Mapping[str, Any]) -> Mapping[str, Any]:
    given = dict(options)
    if "model" in given:
        # Its number: a text could be read as a path, or name another variant later.
        given["model"] = f"#{opened.registry.find(given['model']).id}"
    targets = given.get("target", ())
    for name in [targets] if isinstance(targets, str) else targets:
        opened.registry.target(name)
    return _document(opened.plans.make(PlanRequest(step, given, "agent")))


def _document(one: PlanEntry) -> dict[str, Any]:
    return {
        "digest": one.digest,
        "state": one.state,
        "step": one.plan.step,
        "targets": [untrusted(name) for name in one.plan.targets[:MOST_ITEMS]],
        "lines": [untrusted(line) for line in one.plan.lines[:MOST_ITEMS]],
        "approve_with": f"studio plan approve {one.digest}",
        "outcome": untrusted(one.outcome),
        "result": bounded(one.result),
    }


def _deploy(opened: Workspace, given: Arguments) -> Mapping[str, Any]:
    return _planned(opened, "deploy", given)


def _rollback(opened: Workspace, given: Arguments) -> Mapping[str, Any]:
    return _planned(opened, "rollback", given)


def _undeploy(opened: Workspace, given: Arguments) -> Mapping[str, Any]:
    return _planned(opened, "undeploy", given)


def _promote(opened: Workspace, given: Arguments) -> Mapping[str, Any]:
    return _planned(opened, "promote", given)


def _rollout(opened: Workspace, given: Arguments) -> Mapping[str, Any]:
    others = {name: value for name, value in given.items() if name != "targets"}
    return _planned(opened, "rollout", {**others, "target": given["targets"]})


def _quantize(opened: Workspace, given: Arguments) -> Mapping[str, Any]:
    return _planned(opened, "quantize", given)


def _show(opened: Workspace, given: Arguments) -> Mapping[str, Any]:
    return _document(opened.plans.one(given["digest"]))


def _list(opened: Workspace, given: Arguments) -> Mapping[str, Any]:
    entries = opened.plans.all()[:MOST_ITEMS]
    rows = [{"digest": one.digest, "state": one.state, "step": one.plan.step} for one in entries]
    return {"plans": rows}


def _apply(opened: Workspace, given: Arguments) -> Mapping[str, Any]:
    job = opened.plans.start(given["digest"])
    job.wait(WAIT_S)
    return _document(opened.plans.settled(given["digest"], job))


def _plan_tool(name: str, title: str, text: str, takes: Schema, answer: Any) -> Tool:
    return Tool(name, title, f"{text} {_PLANS}", takes, PLAN, answer)


PLANNING = (
    _plan_tool(
        "plan_deploy",
        "Plan a deployment",
        "Plan the deployment of a model to a target.",
        record(("model", "target"), model=MODEL, target=TARGET, replace=FLAG, trial=FLAG),
        _deploy,
    ),
    _plan_tool(
        "plan_rollback",
        "Plan a rollback",
        "Plan the return of a target to a previous release.",
        record(("target",), target=TARGET, to=described(TEXT, "Version or release to restore.")),
        _rollback,
    ),
    _plan_tool(
        "plan_undeploy",
        "Plan a stop",
        "Plan to stop the release of a target.",
        record(target=TARGET),
        _undeploy,
    ),
    _plan_tool(
        "plan_promote",
        "Plan a promotion",
        "Plan to give the canary of a target all traffic.",
        record(target=TARGET),
        _promote,
    ),
    _plan_tool(
        "plan_rollout",
        "Plan a rollout",
        "Plan a rollout of a model to several targets in waves.",
        record(
            ("model", "targets"),
            model=MODEL,
            targets=listed(TARGET),
            strategy={"type": "string", "enum": ["all", "canary", "waves"]},
            first_wave=WHOLE,
            wave_size=WHOLE,
        ),
        _rollout,
    ),
    _plan_tool(
        "plan_quantize",
        "Plan a quantization",
        "Plan the quantization of a variant with the data of its project.",
        record(
            ("model",), model=MODEL, method={"type": "string", "enum": list(METHODS)}, samples=WHOLE
        ),
        _quantize,
    ),
    Tool(
        "list_plans",
        "Plans",
        "List the plans with their states.",
        record(),
        record(plans=listed(record(digest=DIGEST, state=TEXT, step=TEXT))),
        _list,
    ),
    Tool(
        "show_plan",
        "Plan",
        "Show a plan, its state, and what came of it.",
        record(digest=DIGEST),
        PLAN,
        _show,
    ),
    Tool(
        "apply_plan",
        "Carry a plan out",
        "Carry out a plan that a person has approved. It is refused without an approval, after "
        "a change of what it depends on, and a second time.",
        record(digest=DIGEST),
        PLAN,
        _apply,
        reads=False,
    ),
)

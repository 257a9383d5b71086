"""``studio plan``: plans of changes, and their approval by a person at a terminal."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from studio.api import Refused, StudioError
from studio.cli.flags import add_verbs
from studio.cli.output import fail_job, print_json, print_lines, print_note, prompt
from studio.cli.session import workspace
from studio.documents.dataclass_json import JsonValue, to_json
from studio.jobs.object_names import load
from studio.plans import PlanEntry, PlanRequest
from studio.plans.texts import listed, shown
from studio.workspace import Workspace

_TYPED = 8
"""Digits of the digest that an approver types."""


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    verbs = add_verbs(
        parser,
        list="list plans",
        show="show a plan",
        make="make a plan of a step, without changing anything",
        approve="approve a plan: at a terminal, or with an SSH key",
        reject="decide that a plan is not carried out",
        revoke="end an unused approval",
        apply="carry an approved plan out",
    )
    for verb in ("show", "approve", "reject", "revoke", "apply"):
        verbs[verb].add_argument("plan", metavar="DIGEST", help="digest of the plan, or its begin")
    text = "SSH key of an approver (see docs/agents.md)"
    verbs["approve"].add_argument("--key", type=Path, metavar="FILE", help=text)
    verbs["make"].add_argument("step", metavar="STEP", help="such as deploy")
    text = "option of the step, such as target=bench-pi; repeat it for several values"
    verbs["make"].add_argument("options", nargs="*", metavar="NAME=VALUE", help=text)


def run(arguments: argparse.Namespace) -> int:
    """Run the verb."""
    with workspace() as opened:
        if arguments.verb == "list":
            return _list(opened, arguments)
        if arguments.verb == "make":
            made = opened.plans.make(PlanRequest(arguments.step, _options(arguments.options)))
            return _print(made, arguments)
        found = opened.plans.one(arguments.plan)
        if arguments.verb == "show":
            return _print(found, arguments)
        if arguments.verb == "approve":
            return _approve(opened, found, arguments)
        if arguments.verb == "reject":
            opened.plans.reject(found.digest)
            print_lines([f"Plan {found.digest[:12]} is rejected."])
            return 0
        if arguments.verb == "revoke":
            was = opened.plans.revoke(found.digest)
            print_lines(["The approval was revoked." if was else "The plan had no approval."])
            return 0
        return _apply(opened, found, arguments)


def _list(opened: Workspace, arguments: argparse.Namespace) -> int:
    entries = opened.plans.all()
    if arguments.json:
        print_json({"plans": [to_json(one) for one in entries]})
    else:
        print_lines(listed(entries))
    return 0


def _print(found: PlanEntry, arguments: argparse.Namespace) -> int:
    if arguments.json:
        print_json(to_json(found))
    else:
        print_lines(shown(found))
    return 0


def _approve(opened: Workspace, found: PlanEntry, arguments: argparse.Namespace) -> int:
    """Show the plan, and approve it when the person has typed the begin of its digest."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Refused(
            "A plan is approved by a person at a terminal.",
            hint="Run studio plan approve in a terminal of your own.",
        )
    for line in shown(found):
        print_note(line)
    typed = prompt(f"Type the first {_TYPED} digits of the digest to approve:")
    if typed != found.digest[:_TYPED]:
        raise Refused("The plan was not approved: the digits differ.")
    approval = opened.plans.approve(found.digest, arguments.key)
    if arguments.json:
        print_json(to_json(approval))
    else:
        minutes = round((approval.expires - approval.at) / 60)
        print_lines([f"Approved by {approval.by} for {minutes} minutes and one use."])
    return 0


def _apply(opened: Workspace, found: PlanEntry, arguments: argparse.Namespace) -> int:
    outcome = opened.plans.run(found.digest)
    if not outcome.ok:
        return fail_job(outcome, as_json=arguments.json, debug=arguments.debug)
    step = opened.steps[found.plan.step]
    if arguments.json:
        print_json(outcome.document)
    else:
        print_lines(load(step.texts)(outcome.result) if step.texts else ["Done."])
    return 0


def _options(words: list[str]) -> dict[str, JsonValue]:
    found: dict[str, list[str]] = {}
    for word in words:
        name, sign, value = word.partition("=")
        if not sign or not name:
            raise StudioError(f"{word!r} is not NAME=VALUE.")
        found.setdefault(name.replace("-", "_"), []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}

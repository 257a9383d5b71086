"""``studio plan``: plans of changes, and their approval by a person at a terminal."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from studio.api import Refused, StudioError
from studio.cli.flags import add_verbs
from studio.cli.output import fail_job, has_terminal, print_json, print_lines, print_note, prompt
from studio.cli.overwrite import add_force, confirm_overwrite
from studio.cli.session import workspace
from studio.documents.dataclass_json import JsonValue, to_json
from studio.documents.plain import shortened
from studio.jobs.object_names import load
from studio.plans import Approval, PlanEntry, PlanRequest
from studio.plans.approvals import signed
from studio.plans.exchange import read_approval, read_plan, write_approval, write_plan
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
        export="write a plan to a file, for an approver at another computer",
        sign="approve the file of a plan with an SSH key",
        reject="decide that a plan is not carried out",
        revoke="end an unused approval",
        apply="carry an approved plan out",
    )
    for verb in ("show", "approve", "export", "reject", "revoke", "apply"):
        verbs[verb].add_argument("plan", metavar="DIGEST", help="digest of the plan, or its begin")
    text = "SSH key of an approver (see docs/approvals.md)"
    by = verbs["approve"].add_mutually_exclusive_group()
    by.add_argument("--key", type=Path, metavar="FILE", help=text)
    by.add_argument("--signed", type=Path, metavar="FILE", help="approval of studio plan sign")
    verbs["sign"].add_argument("plan", metavar="PLAN", type=Path, help="file of the plan")
    verbs["sign"].add_argument("--key", type=Path, metavar="FILE", help=text, required=True)
    for verb in ("export", "sign"):
        verbs[verb].add_argument("--out", type=Path, metavar="FILE", help="file to write")
        add_force(verbs[verb])
    verbs["make"].add_argument("step", metavar="STEP", help="such as deploy")
    text = "option of the step, such as target=bench-pi; repeat it for several values"
    verbs["make"].add_argument("options", nargs="*", metavar="NAME=VALUE", help=text)


def run(arguments: argparse.Namespace) -> int:
    """Run the verb."""
    if arguments.verb == "sign":
        return _sign(arguments)
    with workspace() as opened:
        if arguments.verb == "list":
            return _list(opened, arguments)
        if arguments.verb == "make":
            made = opened.plans.make(PlanRequest(arguments.step, _options(arguments.options)))
            if opened.plans.is_shared(made.digest):
                print_note("Approvers of the shared registry see it.")
            return _print(made, arguments)
        found = opened.plans.one(arguments.plan)
        if arguments.verb == "show":
            return _print(found, arguments)
        if arguments.verb == "approve":
            return _approve(opened, found, arguments)
        if arguments.verb == "export":
            return _export(found, arguments)
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
    """Show the plan, and approve it when the person has typed the begin of its digest.

    An approval that was signed elsewhere needs no person here. Without a terminal a script names
    the whole digest and a key.
    """
    if arguments.signed:
        approval = opened.plans.receive(found.digest, read_approval(arguments.signed))
    else:
        if not arguments.key or arguments.plan != found.digest or has_terminal():
            _confirm(found)
        approval = opened.plans.approve(found.digest, arguments.key)
    return _print_approval(approval, arguments)


def _confirm(found: PlanEntry) -> None:
    if not has_terminal():
        raise Refused(
            "A plan is approved by a person at a terminal.",
            hint="Run the command in a terminal of your own. An approver's script names a key: "
            f"studio plan approve {found.digest} --key FILE",
        )
    for line in shown(found):
        print_note(line)
    typed = prompt(f"Type the first {_TYPED} digits of the digest to approve:")
    if typed != found.digest[:_TYPED]:
        raise Refused("The plan was not approved: the digits differ.")


def _print_approval(approval: Approval, arguments: argparse.Namespace) -> int:
    if arguments.json:
        print_json(to_json(approval))
    else:
        minutes = round((approval.expires - approval.at) / 60)
        print_lines([f"Approved by {approval.by} for {minutes} minutes and one use."])
    return 0


def _export(found: PlanEntry, arguments: argparse.Namespace) -> int:
    path = arguments.out or Path(f"{found.digest[:12]}.plan")
    confirm_overwrite([path] if path.exists() else [], arguments)
    write_plan(path, found.plan)
    if arguments.json:
        print_json({"plan": found.digest, "file": str(path)})
    else:
        print_lines([f"Wrote {path}.", f"An approver signs it: studio plan sign {path} --key FILE"])
    return 0


def _sign(arguments: argparse.Namespace) -> int:
    """Show the plan of a file, and sign its approval for the computer that it came from."""
    plan = read_plan(arguments.plan)
    path = arguments.out or arguments.plan.with_name(f"{arguments.plan.name}.signed")
    confirm_overwrite([path] if path.exists() else [], arguments)
    print_note(f"Step: {plan.step}. Options: {shortened(json.dumps(to_json(plan.options)))}")
    _confirm(PlanEntry(plan.digest, plan, "waiting"))
    approval = signed(plan.digest, plan, arguments.key, time.time())
    write_approval(path, approval)
    if arguments.json:
        print_json(to_json(approval))
    else:
        back = f"studio plan approve {plan.digest[:12]} --signed {path.name}"
        print_lines([f"Wrote {path}.", f"At the computer of the plan: {back}"])
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

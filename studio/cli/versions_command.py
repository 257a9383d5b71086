"""``studio versions``: where versions came from, what stands for them, and what ran when."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from studio.cli.flags import add_verbs
from studio.cli.output import print_json, print_lines
from studio.cli.session import add_step, run_step, workspace
from studio.documents.text_table import megabytes, table

_STEPS = {
    "alias": "version-alias",
    "promote": "version-promote",
    "rollback": "version-rollback",
    "export": "project-export",
    "import": "project-import",
}
_SHORT = 12


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    verbs = add_verbs(
        parser,
        **{
            "list": "the versions of a model, or of all",
            "show": "show the lineage and deployments of a version",
            "at": "show the releases at a point in time",
            "alias": "point an alias to a version",
            "promote": "promote a version whose gates passed",
            "rollback": "roll an alias back to its previous version",
            "export": "put models and versions into one archive",
            "import": "take models and versions out of an archive",
        },
    )
    for verb, step in _STEPS.items():
        add_step(verbs[verb], step)
    verbs["list"].add_argument("model", nargs="?", help="the model's name")
    verbs["show"].add_argument("version", help="NAME, NAME:NUMBER, NAME@ALIAS or a digest")
    verbs["at"].add_argument("time", help="2026-11-26T14:30, or now")
    verbs["at"].add_argument("--target", help="one target; by default all")


def run(arguments: argparse.Namespace) -> int:
    """Do what the verb says."""
    if arguments.verb in _STEPS:
        return run_step(_STEPS[arguments.verb], arguments, _DESCRIBE[arguments.verb])
    with workspace() as opened:
        if arguments.verb == "list":
            found: Any = opened.versions.all(arguments.model)
            lines = _listed(found)
        elif arguments.verb == "show":
            found = opened.versions.lineage(arguments.version)
            lines = lineage_lines(found)
        else:
            found = opened.versions.at(arguments.time, arguments.target)
            lines = _at(found)
    if arguments.json:
        print_json(found)
    else:
        print_lines(lines)
    return 0


def lineage_lines(found: Mapping[str, Any]) -> list[str]:
    """A lineage for people."""
    lines = [
        f"{found['model']}:{found['version']}  {', '.join(found['aliases'])}".rstrip(),
        f"release  {found['digest']}",
        f"content  {found['content'] or 'the bundle is not kept any more'}",
        f"made     {found['created'][:19].replace('T', ' ')} UTC, counter {found['counter']}",
        f"tools    {', '.join(f'{k} {v}' for k, v in found['tools'].items())}",
        f"runs on  {', '.join(found['targets']) or 'no target'}",
    ]
    packaged = found["packaged"]
    if packaged:
        lines.append(f"packaged by {packaged['by']}{_inputs(packaged['inputs'])}")
    for variant in found["variants"]:
        options = ", ".join(f"{k} {v}" for k, v in _brief(variant["options"]).items())
        size = megabytes(variant["bytes"])
        lines.append(f"from {variant['variant']}  {variant['digest'][:_SHORT]}  {size}")
        lines.append(f"     {variant['step']} {options}".rstrip())
        if variant["inputs"]:
            lines.append(f"    {_inputs(variant['inputs'])}")
        if variant["by"]:
            lines.append(f"     by {variant['by']}")
    for move in found["moves"]:
        gates = move["evidence"].get("gates") or ()
        judged = f", {len(gates)} gates met in {move['evidence'].get('run')}" if gates else ""
        because = move["evidence"].get("because")
        reason = f", because {because}" if because else ""
        lines.append(
            f"{move['at'][:19].replace('T', ' ')}  {move['alias']}: {move['from'] or 'none'} -> "
            f"{move['to'] or 'none'}, {move['why']} by {move['by']}{judged}{reason}"
        )
    return lines


def _brief(options: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in options.items() if v not in (None, "", []) and len(str(v)) < 80}


def _inputs(inputs: Mapping[str, str]) -> str:
    return "".join(f" {name} {digest[:_SHORT]}" for name, digest in inputs.items())


def _listed(found: list[Mapping[str, Any]]) -> list[str]:
    if not found:
        return ["No version was made yet. Make one: studio package MODEL"]
    rows = [
        (
            f"{row['model']}:{row['version']}",
            ", ".join(row["aliases"]),
            row["variant"],
            row["digest"][:_SHORT],
            row["created"][:19].replace("T", " "),
            ", ".join(row["targets"]),
        )
        for row in found
    ]
    return table(("version", "aliases", "variant", "release", "made (UTC)", "runs on"), rows)


def _at(found: Mapping[str, Any]) -> list[str]:
    rows = []
    for row in found["targets"]:
        served = row["served"]
        if served is None:
            rows.append((row["target"], "nothing", "", "", ""))
        else:
            trial = " (on trial)" if served["on_trial"] else ""
            beside = f" and {served['canary']} as canary" if served["canary"] is not None else ""
            what = f"{served['name']}:{served['version']}{trial}{beside}"
            until = (served["until"] or "now")[:19].replace("T", " ")
            since = served["since"][:19].replace("T", " ")
            rows.append((row["target"], what, served["release"][:_SHORT], since, until))
    if not rows:
        return ["Nothing was deployed from here."]
    head = ("target", "version", "release", "since (UTC)", "until")
    when = "Now" if found["at"] == "now" else f"At {found['at'][:19].replace('T', ' ')} UTC"
    return [when, *table(head, rows)]


def _aliased(result: Mapping[str, Any]) -> list[str]:
    to, before = result["to"], result["from"]
    what = f"is version {to}" if to else "is gone"
    return [f"{result['model']}@{result['alias']} {what}{f', before {before}' if before else ''}"]


def _promoted(result: Mapping[str, Any]) -> list[str]:
    gates = result["evidence"].get("gates") or ()
    return [*_aliased(result), *(f"gate met  {gate['name']}" for gate in gates)]


def _exported(result: Mapping[str, Any]) -> list[str]:
    counts = f"{result['variants']} variants and {result['versions']} versions"
    models = ", ".join(result["models"])
    return [f"{counts} of {models}, {megabytes(result['bytes'])}", str(result["output"])]


def _imported(result: Mapping[str, Any]) -> list[str]:
    return [
        f"{row['name']}: {row['variants']} new variants, {row['versions']} new versions"
        + ("" if row["name"] == row["asked"] else f" (the name {row['asked']} is another model's)")
        for row in result["models"]
    ]


_DESCRIBE = {
    "alias": _aliased,
    "promote": _promoted,
    "rollback": _aliased,
    "export": _exported,
    "import": _imported,
}

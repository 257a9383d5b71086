"""``studio profiles``: the profiles that were made, two of them compared, one as a file."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from studio.api import UsageError
from studio.cli.flags import add_verbs
from studio.cli.output import print_json, print_lines
from studio.cli.overwrite import add_force, ask_for
from studio.cli.profile_command import describe
from studio.cli.session import finish, workspace
from studio.documents.text_table import table
from studio.profiling.export import SUFFIXES
from studio.steps.overwrites import in_the_way
from studio.workspace import Workspace


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    verbs = add_verbs(
        parser,
        list="the profiles that were made, the newest first",
        show="show a profile",
        compare="compare two profiles",
        export="export a profile as HTML, CSV, JSON, or a figure in PNG, PDF or SVG",
    )
    verbs["list"].add_argument("--model", metavar="MODEL", help="only profiles of this model")
    for name in ("show", "export"):
        verbs[name].add_argument("run", type=int, metavar="RUN", help="its number")
    verbs["compare"].add_argument("before", type=int, metavar="BEFORE", help="a profile's number")
    verbs["compare"].add_argument("after", type=int, metavar="AFTER", help="a later one's number")
    verbs["export"].add_argument(
        "--out",
        metavar="FILE",
        help="a file that ends in .html, .csv, .json, .png, .pdf or .svg "
        "[default with --format: profile-RUN.FORMAT]",
    )
    verbs["export"].add_argument(
        "--format",
        choices=[suffix.removeprefix(".") for suffix in SUFFIXES],
        help="the form of the file; by default its suffix says it",
    )
    add_force(verbs["export"])


def run(arguments: argparse.Namespace) -> int:
    """Do what the verb says."""
    with workspace() as opened:
        if arguments.verb == "export":
            return _export(opened, arguments)
        document, lines = _VERBS[arguments.verb](opened, arguments)
    if arguments.json:
        print_json(document)
    else:
        print_lines(lines)
    return 0


def _list(opened: Workspace, arguments: argparse.Namespace) -> tuple[Any, list[str]]:
    model = opened.registry.find(arguments.model).model if arguments.model else None
    found = opened.profiles.lines(model)
    head = ("run", "at", "target", "mode", "models", "backends", "fastest", "best", "")
    rows = [
        (
            line["run"],
            line["at"][:16].replace("T", " "),
            line["target"],
            line["mode"],
            ", ".join(line["models"]),
            ", ".join(line["backends"]),
            line["fastest"] or "-",
            _number(line["best"]),
            line["unit"],
        )
        for line in found
    ]
    lines = table(head, rows, "r      r") if rows else ["No profiles yet."]
    return {"profiles": found}, lines


def _show(opened: Workspace, arguments: argparse.Namespace) -> tuple[Any, list[str]]:
    document = opened.profiles.document(arguments.run)
    return document, describe(document)


def _compare(opened: Workspace, arguments: argparse.Namespace) -> tuple[Any, list[str]]:
    found = opened.profiles.compare(arguments.before, arguments.after)
    return found, list(_comparison(found))


_VERBS = {"list": _list, "show": _show, "compare": _compare}


def _comparison(found: Mapping[str, Any]) -> Iterator[str]:
    head = ("run", "before", "after", "ratio", "interval", "verdict", "against the reference")
    rows = [
        (
            row["id"],
            _number(row["before"]),
            _number(row["after"]),
            _number(row["ratio"]),
            "-" if row["low"] is None else f"{row['low']:.3f} to {row['high']:.3f}",
            row["verdict"],
            _number(row["relative"]),
        )
        for row in found["rows"]
    ]
    if rows:
        yield from table(head, rows, " rrrr r")
    for key, when in (("only_before", "before"), ("only_after", "after")):
        if found[key]:
            yield f"Only {when}: {', '.join(found[key])}"
    for each in found["differences"]:
        yield f"{each['key']}: {each['before']} before, {each['after']} after"
    yield from found["notes"]


def _export(opened: Workspace, arguments: argparse.Namespace) -> int:
    out = _output(arguments)
    ask_for(in_the_way([Path(out).expanduser().absolute()]), arguments)
    with tempfile.TemporaryDirectory(prefix="edgewright-export-") as folder:
        profile = opened.profiles.save(arguments.run, Path(folder))
        outcome = opened.run("profile-export", profile=str(profile), out=out)
    return finish(outcome, arguments, lambda result: [f"Written: {result['output']}"])


def _output(arguments: argparse.Namespace) -> str:
    """Return the file to write, out of its name, its format, or both.

    Raises:
        UsageError: when neither is given, or they contradict each other.
    """
    if not arguments.format:
        if not arguments.out:
            raise UsageError("Missing the file to write.", hint="Give --out FILE or --format.")
        return str(arguments.out)
    suffix = f".{arguments.format}"
    out = Path(arguments.out or f"profile-{arguments.run}{suffix}")
    if not out.suffix:
        out = out.with_name(out.name + suffix)
    if out.suffix.lower() != suffix:
        raise UsageError(
            f"{out.name} is not {arguments.format}.", hint=f"Name it {out.stem}{suffix}."
        )
    return str(out)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"

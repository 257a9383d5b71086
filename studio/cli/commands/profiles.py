"""``studio profiles``: the profiles that were made, two of them compared, one as a file."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from pathlib import Path

from studio.api import UsageError
from studio.cli.flags import add_verbs
from studio.cli.output import print_json, print_lines
from studio.cli.overwrite import add_force, confirm_overwrite
from studio.cli.session import finish, workspace
from studio.documents.dataclass_json import JsonValue, to_json
from studio.profiling import texts
from studio.profiling.export import SUFFIXES
from studio.profiling.history import read_profile
from studio.settings import full_path
from studio.steps.overwrites import in_the_way
from studio.workspace import Workspace


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    listed, shown, compared, exported = add_verbs(
        parser,
        list="list profiles, newest first",
        show="show a profile",
        compare="compare two profiles",
        export="export a profile as HTML, CSV or JSON, or a figure as PNG, PDF or SVG",
    ).values()
    listed.add_argument("--model", metavar="MODEL", help="only profiles of this model")
    for verb in (shown, exported):
        verb.add_argument("run", type=int, metavar="RUN", help="run number of the profile")
    compared.add_argument(
        "before", type=int, metavar="BEFORE", help="run number of the baseline profile"
    )
    compared.add_argument(
        "after", type=int, metavar="AFTER", help="run number of the profile to compare"
    )
    exported.add_argument(
        "--out",
        metavar="FILE",
        help="output file: .html, .csv, .json, .png, .pdf or .svg [default with --format: "
        "profile-RUN.FORMAT]",
    )
    exported.add_argument(
        "--format",
        choices=[suffix.removeprefix(".") for suffix in SUFFIXES],
        help="output format [default: from the suffix of --out]",
    )
    add_force(exported)


def run(arguments: argparse.Namespace) -> int:
    """Run the command of the verb."""
    with workspace() as opened:
        if arguments.verb == "export":
            return _export(opened, arguments)
        document, lines = _VERBS[arguments.verb](opened, arguments)
    if arguments.json:
        print_json(document)
    else:
        print_lines(lines)
    return 0


Answer = tuple[Mapping[str, JsonValue], list[str]]
"""A document, and the same as lines for people."""


def _list(opened: Workspace, arguments: argparse.Namespace) -> Answer:
    model = opened.registry.find(arguments.model).model if arguments.model else None
    lines = opened.profiles.lines(model)
    return {"profiles": to_json(lines)}, texts.profiles(lines)


def _show(opened: Workspace, arguments: argparse.Namespace) -> Answer:
    document = opened.profiles.document(arguments.run)
    return document, texts.profile(read_profile(document))


def _compare(opened: Workspace, arguments: argparse.Namespace) -> Answer:
    found = opened.profiles.compare(arguments.before, arguments.after)
    return to_json(found), texts.comparison(found)


_VERBS = {"list": _list, "show": _show, "compare": _compare}


def _export(opened: Workspace, arguments: argparse.Namespace) -> int:
    out = _output(arguments)
    confirm_overwrite(in_the_way([full_path(out)]), arguments)
    with tempfile.TemporaryDirectory(prefix="edgewright-export-") as folder:
        profile = opened.profiles.save(arguments.run, Path(folder))
        outcome = opened.run("profile-export", profile=str(profile), out=out)
    return finish(outcome, arguments, texts.export)


def _output(arguments: argparse.Namespace) -> str:
    """Return the file to write, out of its name, its format, or both.

    Raises:
        UsageError: when neither is given, or they contradict each other.
    """
    if not arguments.format:
        if not arguments.out:
            raise UsageError("Missing output file.", hint="Pass --out FILE or --format.")
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

"""``studio doctor``: is this installation in order?"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from studio.cli.output import print_json, print_lines
from studio.cli.overwrite import add_force, confirm_overwrite
from studio.settings import Paths, full_path
from studio.steps.overwrites import in_the_way
from studio.workspace.diagnosis import DoctorCheck, examine
from studio.workspace.support import SupportArchive


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    text = "save logs and this report as an archive; nothing is sent"
    parser.add_argument("--bundle", metavar="FILE.zip", type=Path, help=text)
    add_force(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run all checks; return 1 after a finding, unless an archive was requested and written."""
    checks = list(examine())
    document: dict[str, object] = {"checks": [asdict(check) for check in checks]}
    if not arguments.json:
        _print(checks)
    if arguments.bundle is not None:
        document["bundle"] = _bundle(arguments, checks)
    if arguments.json:
        print_json(document)
    return 0 if arguments.bundle or all(check.ok for check in checks) else 1


def _print(checks: list[DoctorCheck]) -> None:
    for check in checks:
        print_lines([f"{_word(check):<8}  {check.name:<12} {check.text}"])


def _word(check: DoctorCheck) -> str:
    if check.optional:
        return "optional"
    return "ok" if check.ok else "WRONG"


def _bundle(arguments: argparse.Namespace, checks: list[DoctorCheck]) -> dict[str, object]:
    """Write the archive, after its files were listed."""
    path = full_path(arguments.bundle)
    archive = SupportArchive.collect(Paths.of(), checks)
    if not arguments.json:
        print_lines(["", "Files in the archive:", *(f"  {line}" for line in archive.listing)])
    confirm_overwrite(in_the_way([path]), arguments)
    archive.write(path)
    if not arguments.json:
        print_lines(["", f"Saved {path}. Nothing was sent."])
    return {"path": str(path), "files": list(archive.files)}

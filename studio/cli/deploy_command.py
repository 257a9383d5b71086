"""``studio deploy``: a model or bundle, put to work on a target."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from studio.cli.session import add_step, run_step
from studio.documents.text_table import megabytes


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_step(parser, "deploy")


def run(arguments: argparse.Namespace) -> int:
    """Deploy, or plan to, and print."""
    return run_step("deploy", arguments, describe)


def describe(result: Mapping[str, Any]) -> list[str]:
    """The steps, then the outcome."""
    lines = []
    for step in result["steps"]:
        lines.append(f"{step['state']:<9} {step['name']:<12} {step['text']}")
        lines += [f"{file['bytes']:>22,} B  {file['name']}" for file in step.get("files", ())]
        if step.get("command"):
            lines.append(f"{'':22} $ {step['command']}")
    if result["state"] == "planned":
        end = "" if result.get("possible", True) else " The plan is blocked."
        return [*lines, f"Dry run: no changes made.{end}"]
    sent = f"{megabytes(result['bytes_sent'])} of {megabytes(result['bytes_total'])} sent"
    lines.append(
        f"Version {result['version']} {result['state']} on {result['target']} "
        f"after {result['seconds']:.1f} s, {sent}."
    )
    if result.get("endpoint"):
        lines.append(f"Endpoint: {result['endpoint']}")
    return lines + _credentials(result)


def _credentials(result: Mapping[str, Any]) -> list[str]:
    """What callers need; never the token itself."""
    lines = []
    if result.get("fingerprint"):
        lines.append(f"Its certificate is SHA-256 {result['fingerprint']}")
    if result.get("token_required"):
        kept = result.get("token_kept")
        lines.append("Requests need the token" + (f", which is kept in {kept}" if kept else ""))
    return lines

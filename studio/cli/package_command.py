"""``studio package``: a bundle that can be deployed."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from studio.cli.output import megabytes
from studio.cli.session import add_step, run_step


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_step(parser, "image")  # it takes all that package takes


def run(arguments: argparse.Namespace) -> int:
    """Package, with an image when one is named, and print."""
    return run_step("image" if arguments.image else "package", arguments, describe)


def describe(result: Mapping[str, Any]) -> list[str]:
    """What was made."""
    lines = [f"{result['bundle']}", f"digest {result['digest']}, {megabytes(result['bytes'])}"]
    if result["image"]:
        lines.append(f"image {result['image']}, {megabytes(result['image_bytes'])}")
        lines += [str(result[name]) for name in ("path", "context") if result.get(name)]
        lines += [result["next"]] if result.get("next") else []
    return lines

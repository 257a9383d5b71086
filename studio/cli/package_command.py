"""``studio package``: a bundle that can be deployed."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from studio.api import UsageError
from studio.cli.flags import add_options
from studio.cli.session import add_step, run_step
from studio.deployment.artifacts.packager_step import OWN as PACKAGER
from studio.deployment.artifacts.step import OWN
from studio.documents.text_table import megabytes
from studio.packages.step import PREPROCESS_DRAFT


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_step(parser, "image")  # it takes all that package takes
    add_options(parser, (*OWN, *PACKAGER, PREPROCESS_DRAFT))


def run(arguments: argparse.Namespace) -> int:
    """Package, with an image, a Debian package or a packager where one is named, and print."""
    packager = getattr(arguments, "as")
    if arguments.preprocess_draft and (arguments.image or arguments.deb or packager):
        raise UsageError(
            "A first preprocess.toml is written by packaging alone.",
            hint="Leave out --image, --deb and --as; give the file with --preprocess afterwards.",
        )
    if packager:
        if arguments.image or arguments.deb:
            raise UsageError("--as, --image and --deb are separate commands.")
        return run_step("package-as", arguments, describe)
    if arguments.deb:
        if arguments.image:
            raise UsageError("An image and a Debian package are two commands.")
        arguments.bundle = None  # a bundle's folder may stand in the model's place
        return run_step("deb", arguments, describe)
    return run_step("image" if arguments.image else "package", arguments, describe)


def describe(result: Mapping[str, Any]) -> list[str]:
    """What was made."""
    lines = [f"{result['bundle']}", f"digest {result['digest']}, {megabytes(result['bytes'])}"]
    if result.get("embedding"):
        lines.append(f"the watch for drift also sees {result['embedding']}, which no client gets")
    lines += [*(result.get("notes") or ()), *(result.get("hints") or ())]
    lines += [f"{one['level']}: {one['text']}" for one in result.get("findings") or ()]
    if result.get("preprocess_draft"):
        lines.append(
            f"{result['preprocess_draft']} written: check color, scale, mean and std in it, then "
            "give it with --preprocess."
        )
    if result.get("deb"):
        lines.append(f"{result['deb']}, {megabytes(result['deb_bytes'])}")
        lines.append(f"package {result['package']} {result['deb_version']}")
        lines.append(f"for {result['architecture']}, depends on {result['depends']}")
        lines.append(f"Install it there with: apt install ./{result['deb'].rpartition('/')[2]}")
    if result.get("as"):
        lines += [f"{name}: {value}" for name, value in result["made"].items() if value]
    if result["image"]:
        lines.append(f"image {result['image']}, {megabytes(result['image_bytes'])}")
        lines += [str(result[name]) for name in ("path", "context") if result.get(name)]
        lines += [result["next"]] if result.get("next") else []
    return lines

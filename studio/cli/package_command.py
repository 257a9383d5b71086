"""``studio package``: a bundle that can be deployed."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from studio.api import UsageError
from studio.cli.flags import add_options
from studio.cli.session import add_step, run_step
from studio.cli.step_commands import run_named
from studio.deployment.artifacts.packager_step import OWN as PACKAGER
from studio.deployment.artifacts.step import OWN
from studio.deployment.results import DebResult
from studio.documents.dataclass_json import from_json, to_json
from studio.documents.text_table import megabytes
from studio.packages.results import PackageResult
from studio.packages.step import PREPROCESS_DRAFT
from studio.packages.texts import package


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
    if arguments.image:
        return run_step("image", arguments, describe)
    return run_named("package", arguments)


def describe(made: DebResult | Mapping[str, Any]) -> list[str]:
    """Return what the bundle is, and what was made of it."""
    document: dict[str, Any] = to_json(made)
    result = from_json(PackageResult, {"counter": 0, "new": False, **document})
    return [*package(result), *_deb(document), *_made(document), *_image(document)]


def _deb(result: Mapping[str, Any]) -> list[str]:
    if not result.get("deb"):
        return []
    return [
        f"{result['deb']}, {megabytes(result['deb_bytes'])}",
        f"package {result['package']} {result['deb_version']}",
        f"for {result['architecture']}, depends on {result['depends']}",
        f"Install it there with: apt install ./{result['deb'].rpartition('/')[2]}",
    ]


def _made(result: Mapping[str, Any]) -> list[str]:
    made = result["made"] if result.get("as") else {}
    return [f"{name}: {value}" for name, value in made.items() if value]


def _image(result: Mapping[str, Any]) -> list[str]:
    if not result["image"]:
        return []
    lines = [f"image {result['image']}, {megabytes(result['image_bytes'])}"]
    return lines + [str(result[name]) for name in ("path", "context", "next") if result.get(name)]

"""``studio package``: a bundle that can be deployed."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, field

from studio.api import UsageError
from studio.cli.flags import add_options
from studio.cli.session import add_step, run_step
from studio.cli.step_commands import run_named
from studio.deployment.artifacts.packager_step import OWN as PACKAGER
from studio.deployment.artifacts.results import DebResult
from studio.deployment.artifacts.step import OWN
from studio.documents.dataclass_json import JsonValue, from_json, to_json
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
        return run_step("deb", arguments, describe_deb)
    if arguments.image:
        return run_step("image", arguments, describe)
    return run_named("package", arguments)


@dataclass(frozen=True, slots=True)
class _Made:
    """What a packager made of a bundle; what does not apply is empty.

    Attributes:
        made: Answer of any packager, by name.
        path, context: Files of an image.
        next: What is left to be done.
    """

    made: Mapping[str, JsonValue] = field(default_factory=dict)
    image: str | None = None
    image_bytes: int = 0
    path: str | None = None
    context: str | None = None
    next: str | None = None


def describe(result: Mapping[str, JsonValue]) -> list[str]:
    """Return what the bundle is, and what a packager made of it."""
    found = from_json(_Made, result)
    lines = package(from_json(PackageResult, result))
    lines += [f"{name}: {value}" for name, value in found.made.items() if value]
    if found.image:
        lines.append(f"image {found.image}, {megabytes(found.image_bytes)}")
        lines += list(filter(None, (found.path, found.context, found.next)))
    return lines


def describe_deb(result: DebResult) -> list[str]:
    """Return what the bundle is, and the Debian package that was made of it."""
    bundle = from_json(PackageResult, {"counter": 0, "new": False, **to_json(result)})
    return [
        *package(bundle),
        f"{result.deb}, {megabytes(result.deb_bytes)}",
        f"package {result.package} {result.deb_version}",
        f"for {result.architecture}, depends on {result.depends}",
        f"Install it there with: apt install ./{result.deb.rpartition('/')[2]}",
    ]

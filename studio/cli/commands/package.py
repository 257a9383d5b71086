"""``studio package``: a bundle that can be deployed."""

from __future__ import annotations

import argparse

from studio.api import UsageError
from studio.cli.flags import add_options
from studio.cli.session import add_step
from studio.cli.step_commands import run_named
from studio.deployment.artifacts.packager_step import OWN as PACKAGER
from studio.deployment.artifacts.step import OWN
from studio.packages.step import OUTPUTS_DRAFT, PREPROCESS_DRAFT


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_step(parser, "image")  # it takes all that package takes
    add_options(parser, (*OWN, *PACKAGER, PREPROCESS_DRAFT, OUTPUTS_DRAFT))


def run(arguments: argparse.Namespace) -> int:
    """Package, with an image, a Debian package or a packager where one is named, and print."""
    packager = getattr(arguments, "as")
    for name, flag in (("preprocess_draft", "--preprocess"), ("outputs_draft", "--outputs")):
        if getattr(arguments, name) and (arguments.image or arguments.deb or packager):
            raise UsageError(
                f"{flag}-draft cannot be combined with --image, --deb or --as.",
                hint=f"Write the draft first, then pass it with {flag}.",
            )
    if packager:
        if arguments.image or arguments.deb:
            raise UsageError("--as cannot be combined with --image or --deb.")
        return run_named("package-as", arguments)
    if arguments.deb:
        if arguments.image:
            raise UsageError("--image cannot be combined with --deb.")
        arguments.bundle = None  # a bundle's folder may stand in the model's place
        return run_named("deb", arguments)
    return run_named("image" if arguments.image else "package", arguments)

"""The step that makes a container image of a model: packaged, then built by a plugin."""

from __future__ import annotations

from studio.api import Kind, Option, Permission
from studio.jobs import Limits, Step
from studio.packages.step import SHARED

IMAGE = Step(
    name="image",
    title="Build an image of",
    summary="Make a container image of a model: its bundle, the runtime and the libraries.",
    options=(
        *SHARED,
        Option("image", title="Name", help="Of the image, like digits:1.", required=True),
        Option(
            "image_out",
            Kind.OUTPUT,
            title="Folder for files",
            help="Where the image is written as a file, with the context to build it elsewhere.",
        ),
        Option(
            "load_to",
            Kind.TARGET,
            title="Load to",
            help="A machine into whose docker or podman the image is put.",
        ),
        Option(
            "set",
            many=True,
            title="Options of the image",
            help="NAME=VALUE: base, variant, arch, size_budget_mb, push ...",
            advanced=True,
        ),
    ),
    work="studio.deployment.artifacts.image:image",
    prepare="studio.packages.record:prepare",
    record="studio.deployment.artifacts.image:imaged",
    needs=frozenset(
        {Permission.NETWORK, Permission.HOME, Permission.SECRETS, Permission.PROCESSES}
    ),
    limits=Limits(seconds=3600),
)

"""Steps that make a deployment a file: a Debian package, a container image."""

from __future__ import annotations

from dataclasses import replace

from studio.api import Kind, Option, Permission
from studio.jobs import Arguments, Limits, Result, Step, Use
from studio.packages.step import SHARED

OWN = (
    Option(
        "deb",
        Kind.OUTPUT,
        title="Debian package",
        help="The .deb to write (that suffix is added), or the folder to write it into: for fleets "
        "with their own tools.",
    ),
    Option(
        "board",
        help="The kind of board whose libraries go into the package (studio target boards); "
        "without it Debian's own python3-onnxruntime is needed there.",
    ),
    Option(
        "system",
        help="A part of the name of that board's system; by default its usual one.",
        advanced=True,
    ),
    Option("maintainer", help="NAME <ADDRESS> for the package.", advanced=True),
)

DEB: Step[Arguments, Result] = Step(
    name="deb",
    title="Make a Debian package of",
    summary="Make a Debian package of a release: its bundle, the server, a unit of systemd.",
    options=(
        *(replace(one, required=False) if one.required else one for one in SHARED),
        Option("bundle", Kind.FOLDER, help="A bundle, instead of a model.", advanced=True),
        replace(OWN[0], required=True),
        *OWN[1:],
    ),
    work="studio.deployment.artifacts.debian:make",
    prepare="studio.deployment.artifacts.debian:prepare",
    record="studio.deployment.artifacts.debian:made",
    needs=frozenset(
        {Permission.NETWORK, Permission.HOME, Permission.SECRETS, Permission.PROCESSES}
    ),
    limits=Limits(seconds=3600),
    use=Use.SERVE,
)


IMAGE: Step[Arguments, Result] = Step(
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
    prepare="studio.packages.record:with_numbering",
    record="studio.deployment.artifacts.image:imaged",
    needs=frozenset(
        {Permission.NETWORK, Permission.HOME, Permission.SECRETS, Permission.PROCESSES}
    ),
    limits=Limits(seconds=3600),
    use=Use.SERVE,
)

"""The step that makes a Debian package of a release, for fleets that have their own tools."""

from __future__ import annotations

from dataclasses import replace

from studio.api import Kind, Option, Permission
from studio.jobs import Limits, Step
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

DEB = Step(
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
)

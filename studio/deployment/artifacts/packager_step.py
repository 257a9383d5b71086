"""The step that lets any plugin's packager build from a bundle."""

from __future__ import annotations

from studio.api import Kind, Option, Permission
from studio.jobs import Arguments, Limits, Result, Step, Use
from studio.packages.step import SHARED

PACKAGE_AS: Step[Arguments, Result] = Step(
    name="package-as",
    title="Package for another tool",
    summary="Package a model and let a plugin's packager build from it (image, manifests).",
    options=(
        *SHARED,
        Option(
            "as",
            Kind.CHOICE,
            required=True,
            plugins="packagers",
            title="Packager",
            help="The id of a packager: image, manifests, or a plugin's (studio plugins list).",
        ),
        Option(
            "as_out",
            Kind.OUTPUT,
            title="Folder for files",
            help="Folder for the packager's files; next to --out, as FOLDER-ID, without it.",
        ),
        Option(
            "set",
            many=True,
            title="Options of the packager",
            help="NAME=VALUE, as its plugin declares them.",
            advanced=True,
        ),
    ),
    work="studio.deployment.artifacts.packager:package_as",
    prepare="studio.packages.record:with_numbering",
    record="studio.deployment.artifacts.packager:packaged_as",
    needs=frozenset(
        {Permission.NETWORK, Permission.HOME, Permission.SECRETS, Permission.PROCESSES}
    ),
    limits=Limits(seconds=3600),
    use=Use.SERVE,
)

OWN = tuple(option for option in PACKAGE_AS.form if option.name in ("as", "as_out"))
"""Options that no other way of packaging has."""

"""The step that lets any plugin's packager build from a bundle."""

from __future__ import annotations

from pathlib import Path

from studio.api import Kind, Permission
from studio.deployment.artifacts.results import PackagerWork
from studio.jobs import Limits, Result, Step, Use
from studio.jobs.options_form import form, option
from studio.lazy_dataclass import dataclass
from studio.packages.step import PackageOptions


@dataclass(frozen=True, kw_only=True)
class PackageAsOptions(PackageOptions):
    """Options of the step ``package-as``: those of packaging, and the packager.

    Attributes:
        packager: Identifier of the packager (``--as``).
        folder: Where the user is; files among the options of the packager are relative to it.
    """

    preprocess_draft: Path | None = None
    outputs_draft: Path | None = None
    packager: str = option(
        kind=Kind.CHOICE,
        key="as",
        plugins="packagers",
        title="Packager",
        help="Packager ID: image, manifests, or one of a plugin (see studio plugins list).",
    )
    as_out: Path | None = option(
        None,
        kind=Kind.OUTPUT,
        title="Folder for files",
        help="Folder for the packager's files (default: FOLDER-ID next to --out).",
    )
    set: tuple[str, ...] | None = option(
        None,
        title="Options of the packager",
        help="Packager option as NAME=VALUE (see studio plugins list).",
        advanced=True,
    )
    folder: Path = Path()


PACKAGE_AS: Step[PackageAsOptions, Result] = Step(
    name="package-as",
    title="Package for another tool",
    summary="Package a model with a packager of a plugin (image, manifests).",
    options=PackageAsOptions,
    work_result=PackagerWork,
    work="studio.deployment.artifacts.packager:package_as",
    texts="studio.deployment.artifacts.texts:image",
    prepare="studio.deployment.artifacts.packager:prepare",
    record="studio.deployment.artifacts.packager:packaged_as",
    needs=frozenset(
        {Permission.NETWORK, Permission.HOME, Permission.SECRETS, Permission.PROCESSES}
    ),
    limits=Limits(seconds=3600),
    use=Use.SERVE,
)

OWN = tuple(option for option in form(PackageAsOptions) if option.name in ("as", "as_out"))
"""Options that only this kind of packaging has."""

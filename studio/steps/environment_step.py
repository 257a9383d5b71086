"""The steps that make and remove the environment of a plugin."""

from __future__ import annotations

from pathlib import Path

from studio.api import Kind, Permission
from studio.jobs.options_form import option
from studio.jobs.step import Limits, Step
from studio.lazy_dataclass import dataclass
from studio.steps.results import InstallResult, RemoveResult


@dataclass(frozen=True, slots=True)
class EnvironmentOptions:
    """The options of a step about one environment."""

    name: str = option(
        positional=True,
        title="Plugin or runtime",
        help="Runtime, quantizer or plugin, such as openvino.",
    )


@dataclass(frozen=True, slots=True)
class InstallOptions(EnvironmentOptions):
    """The options of the step ``environment-install``."""

    wheels: Path | None = option(
        None,
        kind=Kind.FOLDER,
        title="Folder of wheels",
        help="Install packages from this folder instead of the package index.",
    )
    accept_licence: bool = option(
        False,
        title="Accept the licence",
        help="Accept the licence of a toolchain that is not free software.",
    )


ENVIRONMENT_INSTALL: Step[InstallOptions, InstallResult] = Step(
    name="environment-install",
    title="Install",
    summary="Install the libraries of a plugin in its own environment.",
    options=InstallOptions,
    result=InstallResult,
    work="studio.steps.environments:install",
    record="studio.steps.environments:adopt",
    texts="studio.steps.texts:installed",
    # pip finds its index, its proxy and its login where the user has configured them.
    needs=frozenset({Permission.NETWORK, Permission.HOME}),
    limits=Limits(seconds=4 * 3600),
)

ENVIRONMENT_REMOVE: Step[EnvironmentOptions, RemoveResult] = Step(
    name="environment-remove",
    title="Remove",
    summary="Remove the environment of a plugin.",
    options=EnvironmentOptions,
    result=RemoveResult,
    work="studio.steps.environments:remove",
    record="studio.steps.environments:removed",
    texts="studio.steps.texts:removed",
)

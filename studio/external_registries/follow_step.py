"""The step that deploys the version of an alias to a target."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from studio.deployment.options import (
    AccessOptions,
    KeptOptions,
    PlaceOptions,
    PlatformOptions,
    ReleaseOptions,
    ServerOptions,
    TargetOptions,
    TrialOptions,
)
from studio.deployment.results import DeployResult, SwitchResult
from studio.documents.dataclass_json import optional
from studio.external_registries.results import FollowResult
from studio.external_registries.step import NEEDS, FetchedFiles, PullOptions
from studio.jobs import Limits, Step
from studio.jobs.options_form import option
from studio.lazy_dataclass import dataclass
from studio.packages.step import PackagingOptions


def _same(options: type, name: str) -> Any:
    """Return a field with the description of another class of options."""
    (described,) = (one for one in dataclasses.fields(options) if one.name == name)
    return dataclasses.field(default=described.default, metadata=described.metadata)


@dataclass(frozen=True, kw_only=True)
class FollowedOptions(PullOptions):
    """The version to follow."""

    skip_version: str | None = option(
        None,
        title="Tried before",
        help="Version to skip while the alias still points to it.",
        advanced=True,
    )


@dataclass(frozen=True, kw_only=True)
class ReplacingOptions:
    """Options of a deploy for a release that replaces another one."""

    replace: bool = _same(PlaceOptions, "replace")
    embedding: str | None = _same(PackagingOptions, "embedding")


# A dataclass collects its fields from the last base to the first: the order of the form.
@dataclass(frozen=True, kw_only=True)
class FollowOptions(
    PlatformOptions,
    KeptOptions,
    TrialOptions,
    ReleaseOptions,
    AccessOptions,
    ServerOptions,
    ReplacingOptions,
    TargetOptions,
    FollowedOptions,
):
    """Options of the step ``registry-deploy``.

    Attributes:
        releases: The release of each pulled version.
        folders: Folders of the bundles on this computer, by release.
    """

    releases: Mapping[str, str] = field(default_factory=dict)
    folders: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedVersion(FollowResult):
    """A poll with the results of its deploy or rollback, before they are recorded."""

    switched: SwitchResult | None = optional()
    deployed: DeployResult | None = optional()
    files: FetchedFiles | None = optional()


REGISTRY_DEPLOY: Step[FollowOptions, FollowResult] = Step(
    name="registry-deploy",
    awaits_approval=True,
    title="Deploy",
    summary="Deploy the version an alias points to: a deployment, or a rollback.",
    options=FollowOptions,
    result=FollowResult,
    work_result=FollowedVersion,
    work="studio.external_registries.alias_deploy:follow",
    prepare="studio.external_registries.alias_deploy:prepare",
    record="studio.external_registries.alias_deploy:record_follow",
    texts="studio.external_registries.texts:follow",
    needs=NEEDS,
    limits=Limits(seconds=7200),
)

"""Results of the steps that package a deployment as a file."""

from __future__ import annotations

from collections.abc import Mapping

from studio.documents.dataclass_json import JsonValue, optional
from studio.lazy_dataclass import dataclass
from studio.packages.results import CheckFinding, PackageResult


@dataclass(frozen=True, slots=True)
class PackagerWork:
    """A bundle, and the packager's description of its output."""

    packaged: PackageResult
    made: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class DebResult:
    """A Debian package of a release.

    Attributes:
        bytes: Size of the bundle.
        image: None, as no container image is made.
        deb: Path of the package.
        packaged: The bundle packaged during the step.
    """

    bundle: str
    digest: str
    bytes: int
    image: str | None
    name: str
    version: int
    deb_bytes: int
    package: str
    deb_version: str
    architecture: str
    depends: str
    findings: tuple[CheckFinding, ...] | None = optional()
    deb: str = optional("")
    packaged: PackageResult | None = optional()

"""The subject of evidence by name: a file, a model, a variant, a version, or a target."""

from __future__ import annotations

import re
from pathlib import Path

from studio.api import UsageError
from studio.features.evidence.results import AssessedVersion
from studio.lazy_dataclass import dataclass
from studio.registry import Registry, VariantRecord, VersionRecord, file_digest
from studio.versions.serving_history import served_at
from studio.versions.versions import find_version


@dataclass(frozen=True, slots=True)
class Named:
    """A variant with the version, the target and the app that the user named."""

    variant: VariantRecord
    version: VersionRecord | None = None
    target: str = ""
    app: str = ""

    @property
    def subject(self) -> AssessedVersion:
        """The same without the registry's rows."""
        version, variant = self.version, self.variant
        return AssessedVersion(
            variant.model_name,
            variant.name,
            variant.digest,
            version.number if version else None,
            version.digest if version else "",
            self.target,
            self.app,
        )


def find_subject(registry: Registry, text: str) -> Named:
    """Return what a name means.

    Args:
        text: A file, ``NAME``, ``NAME:VARIANT``, ``NAME:NUMBER``, ``NAME@ALIAS``, a digest, or a
            target.

    Raises:
        UsageError: when nothing has this name.
    """
    path = Path(text).expanduser()
    if path.is_file():
        return _of_file(registry, path)
    if any(target.name == text for target in registry.targets()):
        return _of_target(registry, text)
    _, _, part = text.partition(":")
    if "@" in text or part.isdigit() or _DIGEST.fullmatch(text):
        return _of_version(registry, text)
    try:
        variant = registry.find(text)
    except UsageError as error:
        raise UsageError(error.message, hint=_HINT) from None
    return _newest(registry, variant, any_variant=not part and not text.startswith("#"))


_DIGEST = re.compile("[0-9a-f]{8,64}")
_HINT = "Pass a model file, NAME, NAME:VARIANT, NAME:NUMBER, NAME@ALIAS or a target."


def _of_file(registry: Registry, path: Path) -> Named:
    variant = registry.variant_by_digest(file_digest(path))
    if variant is None:
        raise UsageError(
            f"{path.name} is not in the registry, so nothing was recorded about it.",
            hint=f"Package it first: studio package {path}",
        )
    return _newest(registry, variant, any_variant=False)


def _of_target(registry: Registry, target: str) -> Named:
    served = served_at(registry, target)
    if served is None:
        raise UsageError(f"{target} serves no model.", hint="Deploy one: studio deploy MODEL")
    if not served.known:
        raise UsageError(
            f"The release of {target} was deployed from another computer.",
            hint="Make the evidence where its version is, or import the project.",
        )
    named = _of_version(registry, served.release)
    return Named(named.variant, named.version, target)


def _of_version(registry: Registry, text: str) -> Named:
    version = find_version(registry, text).version
    registry.fetch(version.path)
    return Named(registry.variant(version.variant), version)


def _newest(registry: Registry, variant: VariantRecord, any_variant: bool) -> Named:
    """Return the newest version of a variant, or of its model where no variant was named."""
    for version in registry.versions(variant.model):
        if any_variant or version.variant == variant.id:
            registry.fetch(version.path)
            return Named(registry.variant(version.variant), version)
    return Named(variant)

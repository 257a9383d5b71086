"""Recipe of a component of AWS IoT Greengrass v2, by its published reference.

Its scripts call the release machine; no name of a model is in them. ``Digest`` and ``Algorithm`` of
an artefact are left out, as Greengrass alone writes them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from studio.api import Parcel, StudioError, UsageError

ARCHIVE = "release.zip"
"""File of the artefact; Greengrass unpacks it into a folder of its name without the suffix."""

PLACEHOLDER = "BUCKET_NAME"
_FOLDER = "{artifacts:decompressedPath}/release"
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._-]+)*")
_ROOT = re.compile(r"(/[A-Za-z0-9._-]+)+")
_ODD = re.compile(r"[^A-Za-z0-9_.]+")
_LONGEST_NAME = 100
_MOST_NUMBER = 999_999
"""Largest number in the version of a component."""

_TIMEOUTS_S = {"Install": 1800, "Run": 0, "Shutdown": 120, "Recover": 600}
"""Longest times of the phases; 0 for the one that lasts."""


@dataclass(frozen=True, slots=True)
class ComponentPlace:
    """A component's name and version, and where its artefact and its releases are.

    Attributes:
        version: Three numbers: the model's version, and the release counter in millions and rest.
        bucket: S3 bucket of the artefact, with a prefix or without; empty for a placeholder.
        root: Folder of releases on the boards.
    """

    name: str
    version: str
    bucket: str
    root: str

    @property
    def uri(self) -> str:
        """Where the recipe expects the artefact."""
        return f"s3://{self.bucket or PLACEHOLDER}/{self.name}/{self.version}/{ARCHIVE}"


def place_of(parcel: Parcel, name: str, bucket: str, root: str) -> ComponentPlace:
    """Return the place of a bundle's component.

    Args:
        name: Its name; empty for one after the model.
        bucket: ``BUCKET`` or ``BUCKET/PREFIX``; empty for a placeholder.

    Raises:
        UsageError: for a value that Greengrass or a shell could not take.
        StudioError: when the version is too large for Greengrass.
    """
    if name and not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is no name of a component.",
            hint="Letters, digits, dots, hyphens and underscores, such as com.example.digits",
        )
    if bucket and (not _BUCKET.fullmatch(bucket) or ".." in bucket):
        raise UsageError(f"{bucket!r} is no bucket.", hint="Its form: BUCKET/PREFIX")
    if not _ROOT.fullmatch(root) or ".." in root.split("/"):
        raise UsageError(f"{root!r} is no folder of releases.", hint="Its form: /var/lib/edge")
    model = _ODD.sub("-", parcel.name)[:_LONGEST_NAME].strip("-.") or "model"
    return ComponentPlace(name or f"edgewright.{model}", _version(parcel), bucket, root)


def _version(parcel: Parcel) -> str:
    """Return a version that is higher for a higher release counter."""
    numbers = (parcel.version, *divmod(int(parcel.manifest["counter"]), _MOST_NUMBER + 1))
    if not all(0 <= one <= _MOST_NUMBER for one in numbers):
        raise StudioError("The version or release counter is too large for Greengrass.")
    return ".".join(map(str, numbers))


def recipe(place: ComponentPlace, release: str) -> dict[str, object]:
    """Return the recipe of a release as JSON."""
    artefact = {"Uri": place.uri, "Unarchive": "ZIP", "Permission": {"Read": "OWNER"}}
    return {
        "RecipeFormatVersion": "2020-01-25",
        "ComponentName": place.name,
        "ComponentVersion": place.version,
        "ComponentType": "aws.greengrass.generic",
        "ComponentDescription": f"Release {release} for the release machine of Edgewright.",
        "ComponentPublisher": "Edgewright",
        "Manifests": [
            {
                "Platform": {"os": "linux"},
                "Lifecycle": {one: _phase(one, place.root, release) for one in _TIMEOUTS_S},
                "Artifacts": [artefact],
            }
        ],
    }


def _phase(name: str, root: str, release: str) -> dict[str, object]:
    # Without exec, a signal for the phase would end the shell and leave its program.
    words = ["exec", "python3", f"{_FOLDER}/edgewright.pyz", "pull", "component", name.lower()]
    if name == "Install":
        words += ["--release", release]
    found: dict[str, object] = {
        "Script": " ".join([*words, "--root", root, _FOLDER]),
        "RequiresPrivilege": True,
    }
    if _TIMEOUTS_S[name]:
        found["Timeout"] = _TIMEOUTS_S[name]
    return found

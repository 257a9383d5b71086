"""The packager: recipe and artefact of a Greengrass component, in the folders of its own tools."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from studio.api import Kind, Option, Parcel, Progress, StudioError
from studio_greengrass.recipe import ARCHIVE, ComponentPlace, place_of, recipe

_MOST_BYTES = 2_000_000_000
"""Greengrass takes no more for all artefacts of a component."""

_EPOCH = (1980, 1, 1, 0, 0, 0)
_CHUNK = 1 << 20


class GreengrassPackager:
    """Makes the Greengrass component of a bundle."""

    id = "greengrass"
    title = "Greengrass component"
    options: Sequence[Option] = (
        Option(
            "component",
            default="",
            title="Component",
            help="Name of the component (default: edgewright.MODEL).",
        ),
        Option(
            "bucket",
            default="",
            title="Bucket",
            help="S3 bucket of the artefact, as BUCKET or BUCKET/PREFIX.",
        ),
        Option(
            "board_root",
            default="/var/lib/edgewright",
            title="Folder on the boards",
            help="Folder of releases on the boards.",
            advanced=True,
        ),
        Option(
            "soak_s",
            Kind.NUMBER,
            10,
            title="Watch",
            help="Time for which a board watches a new release before it keeps it.",
            unit="s",
            minimum=0,
            maximum=3600,
        ),
        Option(
            "trial",
            Kind.FLAG,
            False,
            title="Trial",
            help="Compare a new release with the previous one for that time.",
        ),
        Option(
            "unsigned",
            Kind.FLAG,
            False,
            title="Unsigned releases",
            help="Boards without allowed signers take releases too.",
            advanced=True,
        ),
    )

    def build(
        self, parcel: Parcel, output: Path, options: Mapping[str, object], progress: Progress
    ) -> Mapping[str, object]:
        """Write ``recipes/NAME-VERSION.json`` and ``artifacts/NAME/VERSION/release.zip``.

        Returns:
            ``path`` (the artefact), ``bytes``, ``sha256``, ``recipe``, ``component``, ``version``,
            ``uri`` (where the recipe expects the artefact), ``release`` (the digest).

        Raises:
            UsageError: for a name, a bucket or a folder that cannot be used.
            StudioError: when the component is too large or cannot be written.
        """
        words = (str(options[name] or "") for name in ("component", "bucket", "board_root"))
        place = place_of(parcel, *words)
        size = sum(file.stat().st_size for file in parcel.members.values())
        if size > _MOST_BYTES:
            raise StudioError("The bundle is larger than 2 GB, too large for Greengrass.")
        progress.log("Writing the Greengrass component")
        try:
            return _written(parcel, output, place, _settings(options))
        except OSError as error:
            shutil.rmtree(output, ignore_errors=True)
            raise StudioError(f"The component cannot be written: {error.strerror}.") from None


def _settings(options: Mapping[str, object]) -> bytes:
    """Return the settings of boards that have none."""
    found = {
        "client": "greengrass",
        "server": "",
        "tenant": "greengrass",
        "soak_s": float(str(options["soak_s"])),
        "trial": bool(options["trial"]),
        "unsigned": bool(options["unsigned"]),
    }
    return json.dumps(found, sort_keys=True).encode()


def _written(
    parcel: Parcel, output: Path, place: ComponentPlace, settings: bytes
) -> dict[str, object]:
    archive = output / "artifacts" / place.name / place.version / ARCHIVE
    text = output / "recipes" / f"{place.name}-{place.version}.json"
    for folder in (archive.parent, text.parent):
        folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        _add(target, "edgewright.pyz", parcel.runtime)
        target.writestr(_entry("settings.json"), settings)
        for name, file in sorted(parcel.members.items()):
            _add(target, f"release/{name}", file)
    made = recipe(place, parcel.digest)
    text.write_text(json.dumps(made, indent=2) + "\n")
    with archive.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return {
        "path": str(archive),
        "bytes": archive.stat().st_size,
        "sha256": digest,
        "recipe": str(text),
        "component": place.name,
        "version": place.version,
        "uri": place.uri,
        "release": parcel.digest,
    }


def _entry(name: str) -> zipfile.ZipInfo:
    found = zipfile.ZipInfo(name, _EPOCH)
    found.compress_type = zipfile.ZIP_DEFLATED
    found.external_attr = 0o644 << 16
    return found


def _add(target: zipfile.ZipFile, name: str, file: Path) -> None:
    entry = _entry(name)
    entry.file_size = file.stat().st_size  # so that large ones get the fields for their size
    with file.open("rb") as source, target.open(entry, "w") as member:
        shutil.copyfileobj(source, member, _CHUNK)

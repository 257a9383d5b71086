"""Registry records of packaging."""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from studio.api import StudioError
from studio.documents.dataclass_json import JsonValue, to_json
from studio.jobs.options_form import form
from studio.models.language.encoder_files import TOKENIZER
from studio.packages.backends import serving_backend
from studio.packages.latency import latency_of
from studio.packages.notice import notice_of
from studio.packages.results import PackageResult
from studio.packages.signing import write_signature
from studio.packages.step import BundleNumber, MakingStep, Numbering, PackageOptions
from studio.registry import ModelRef, Registry, VariantRecord, VersionRecord, component_of
from studio.runtime.shared.manifest import SIGNATURE

EPOCH = "SOURCE_DATE_EPOCH"
_MOST_DIGITS = 12
_MOST_STEPS = 100
_UNSIGNED = (
    "The bundle was there before, without a signature, and stays so: a copy with --out is signed, "
    "or sign as it is deployed, with --sign."
)
_REMEMBERED = 50
"""Bundles of a model among which one with the same content is looked for."""


def prepare(registry: Registry, options: PackageOptions) -> PackageOptions:
    """Add what packaging must know of the registry."""
    return replace(options, numbering=numbering(registry, options.model, options.backend))


def numbering(registry: Registry, model: ModelRef, backend: str | None = None) -> Numbering:
    """Return the next number of a model, the bundles that it has, and how its variant was made.

    Args:
        backend: Id of what serves it; None for the default of its format.
    """
    versions = registry.versions(model.model)
    # The counter follows the clock, so that it also grows from one registry to the next: a board
    # that was served from another computer must accept what is made here later.
    at = _clock()
    number = BundleNumber(
        versions[0].number + 1 if versions else 1,
        max(registry.next_counter(), at),
        datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds"),
    )
    known = tuple(version.path for version in versions[:_REMEMBERED])
    variant = registry.variant(model.variant)
    language = variant.summary.get("language") is not None
    made = _making(registry, variant)
    serving = serving_backend(model.format, backend, language=language).id
    # Measured times are others each time: a build that is to be repeated takes none along.
    measured = None if os.environ.get(EPOCH) else latency_of(registry, model.variant, serving)
    notice = to_json(notice_of(registry, model.variant).to_json())
    return Numbering(number, known, made, measured, notice, _encoder(registry, variant))


def _encoder(registry: Registry, variant: VariantRecord) -> Path | None:
    """Return the folder with the tokenizer of a variant, or of what it was made from."""
    for _ in range(_MOST_STEPS):
        registry.fetch(variant.path)
        if (variant.path.parent / TOKENIZER).is_file():
            return variant.path.parent
        if variant.parent is None:
            return None
        variant = registry.variant(variant.parent)
    return None


def _clock() -> int:
    """Return seconds since 1970; a reproducible build sets ``SOURCE_DATE_EPOCH``."""
    text = os.environ.get(EPOCH, "")
    return int(text) if text.isdecimal() and len(text) < _MOST_DIGITS else int(time.time())


def _making(registry: Registry, variant: VariantRecord) -> tuple[MakingStep, ...]:
    """Return the steps that made a variant out of a model that was opened, the last one first."""
    steps: list[MakingStep] = []
    while variant.parent is not None and len(steps) < _MOST_STEPS:
        parent = registry.variant(variant.parent)
        action = registry.ledger.producer(variant)
        inputs = action.result.get("inputs") or {} if action else {}
        options = {key: value for key, value in variant.options.items() if key != "model"}
        steps.append(MakingStep(variant.step, options, inputs, parent.digest))
        variant = parent
    return tuple(steps)


def packaged(
    registry: Registry,
    options: PackageOptions,
    result: PackageResult,
    folder: Path,
    hidden: Collection[str] = (),
) -> PackageResult:
    """Keep the bundle and copy it to where the user wants it.

    Args:
        hidden: Options that the record leaves out.
    """
    # A deployment, which writes no drafts, need not wait for the libraries of pictures.
    from studio.datasets.output_settings import FILE as OUTPUTS
    from studio.datasets.preprocess_draft import write_draft

    version = store_version(registry, options.model, result)
    draft, meaning = options.preprocess_draft, options.outputs_draft
    final = replace(
        result,
        bundle=str(version.path),
        digest=version.digest,
        version=version.number,
        counter=version.counter,
        variant=version.variant,
        preprocess_draft=write_draft(result.preprocess_draft, draft) if draft else "",
        outputs_draft=write_draft(result.outputs_draft, meaning, OUTPUTS) if meaning else "",
        signature="",
    )
    unsigned = result.signature and not (version.path / SIGNATURE).exists()
    if options.out:
        final = replace(final, bundle=str(copy_bundle(version.path, options.out)))
        if unsigned:
            write_signature(Path(final.bundle), result.signature)
    elif unsigned:
        final = replace(final, notes=(*final.notes, _UNSIGNED))
    registry.add_run("package", version.variant, _user_options(options, hidden), to_json(final))
    return final


def store_version(registry: Registry, model: ModelRef, result: PackageResult) -> VersionRecord:
    """Return the version of a bundle that packaging has created or found.

    Raises:
        StudioError: when another process has numbered a bundle of this model since.
    """
    known = _known(registry, model, result)
    if known is not None:
        return known
    name = component_of(f"{result.name}-{result.version}")
    artifact = registry.adopt_made(Path(result.bundle), name)
    with registry.quiet():  # another studio may have taken the number since
        return _known(registry, model, result) or registry.add_version(
            model.model, model.variant, artifact, result.digest, result.counter
        )


def _known(registry: Registry, model: ModelRef, result: PackageResult) -> VersionRecord | None:
    """Return the version with a bundle's digest; None if its number is free."""
    known = {version.digest: version for version in registry.versions(model.model)}
    if result.digest in known:
        return known[result.digest]
    if any(version.number >= result.version for version in known.values()):
        raise StudioError(
            f"Version {result.version} of {result.name} was made elsewhere meanwhile.",
            hint="Run the command again.",
        )
    return None


def copy_bundle(source: Path, target: Path) -> Path:
    """Copy a bundle out of the store, as files that the user may write to.

    Raises:
        StudioError: when something other than a bundle is in its place.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        if not (target / "manifest.json").is_file():
            raise StudioError(
                f"{target} exists and is not a bundle.", hint="Give the name of a new folder."
            )
        shutil.rmtree(target)
    shutil.copytree(source, target, dirs_exist_ok=True)
    for path in target.rglob("*"):
        path.chmod(path.stat().st_mode | stat.S_IWUSR)
    return target


def _user_options(options: PackageOptions, hidden: Collection[str]) -> dict[str, JsonValue]:
    """Return the user's options in JSON form, but for the model and those that are hidden."""
    names = [one.name for one in form(type(options)) if one.name not in ("model", *hidden)]
    values = to_json(options)
    return {name: values[name] for name in names}

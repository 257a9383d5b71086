"""What the parent process does for evidence: records, answers, signature, output."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from studio.api import InvalidData, UsageError
from studio.documents.dataclass_json import to_json
from studio.features.evidence.apps.app_material import app_material
from studio.features.evidence.dossier.outline import Requested, WrittenAnswer
from studio.features.evidence.folder.manifest import SIGNATURE, EvidenceList
from studio.features.evidence.folder.signature import (
    is_signed,
    is_spelled,
    sign,
    signer,
    signing_key,
)
from studio.features.evidence.form.forms import EvidenceForms
from studio.features.evidence.market.grid import chosen_grid
from studio.features.evidence.measured_runs import keep_measurements
from studio.features.evidence.records.collect import collect
from studio.features.evidence.records.subject import Named
from studio.features.evidence.results import OTHER_VERSION, Alteration, EvidenceResult, VerifyResult
from studio.features.evidence.step import EvidenceOptions, VerifyOptions
from studio.registry import Registry, VariantRecord, VersionRecord
from studio.registry.copies import Copy

FOLDER = "evidence"
_EPOCH = "SOURCE_DATE_EPOCH"
_MOST_DIGITS = 12
_NOT_SIGNED = "not by an allowed signer, or not of this list"


def prepare(registry: Registry, options: EvidenceOptions) -> EvidenceOptions:
    """Add the records of the subject, and what persons have answered.

    Raises:
        UsageError: when the factor of the grid has no source.
        StudioError: when the form or the incidents of the model are damaged.
    """
    grid = chosen_grid(options.grid, options.grid_factor, options.grid_source)
    variant = registry.variant(options.model.variant)
    named = Named(
        variant, _version(registry, variant, options.version or ""), options.served_by or ""
    )
    form = EvidenceForms(registry).of(variant.model_name)
    answers = {name: WrittenAnswer(one.text, one.by, one.at) for name, one in form.latest().items()}
    requests = {name: Requested(one.of, one.at) for name, one in form.pending().items()}
    material = app_material(registry, options, named)
    if material is not None:
        named = replace(named, app=material.record.name)
    return replace(
        options,
        records=replace(collect(registry, named), grid=grid),
        app_material=material,
        answers=answers,
        requests=requests,
        created=_now(),
    )


def prepare_verification(registry: Registry, options: VerifyOptions) -> VerifyOptions:
    """Add the records of the folder's model, where it is here and is to be run again.

    Raises:
        InvalidData: when the folder is no evidence.
        UsageError: when the model that was named is another one.
    """
    if not options.again or options.model is None:
        return options
    digest = EvidenceList.read(options.folder).subject.digest
    if options.model.digest != digest:
        name = f"{options.model.model_name}:{options.model.name}"
        raise UsageError(
            f"{options.folder} is about another model than {name}.",
            hint=f"The SHA-256 of its model begins with {digest[:12]}.",
        )
    named = Named(registry.variant(options.model.variant))
    return replace(options, records=collect(registry, named))


def _version(registry: Registry, variant: VariantRecord, digest: str) -> VersionRecord | None:
    """Return the version with a digest, or else the newest one of the variant."""
    every = [one for one in registry.versions(variant.model) if one.variant == variant.id]
    return next((one for one in every if digest in ("", one.digest)), None)


def move_to_output(
    registry: Registry, options: EvidenceOptions, result: EvidenceResult, folder: Path
) -> EvidenceResult:
    """Sign the list where a key is named, and move the folder to its place.

    Raises:
        StudioError: when the key cannot be used, or the place is taken.
    """
    source = folder / FOLDER
    keep_measurements(registry, options, source)
    if options.sign is not None:
        sign(source, options.sign)
    copy = Copy.begin(source, str(options.out))
    assert copy is not None
    files = (*result.files, SIGNATURE) if options.sign is not None else result.files
    signed = options.sign is not None
    final = replace(result, output=str(copy.finish()), signed=signed, files=files)
    if options.records is not None:
        registry.add_run("evidence", options.records.variant.ref.variant, {}, to_json(final))
    return final


def with_signer(
    registry: Registry, options: VerifyOptions, result: VerifyResult, folder: Path
) -> VerifyResult:
    """Add who signed the list; a signature that does not fit is an alteration.

    A signature by an allowed signer also covers documents that only another version writes.

    Raises:
        Unavailable: when OpenSSH is missing, so that a signature cannot be checked.
    """
    if not is_signed(options.folder):
        missing = (Alteration(SIGNATURE, "missing"),) if options.signers is not None else ()
        return replace(result, altered=(*result.altered, *missing))
    if not is_spelled(options.folder):
        altered = (*result.altered, Alteration(SIGNATURE, "changed"))
        return replace(result, altered=altered, signature="not valid")
    try:
        key = signing_key(options.folder)
        who = signer(options.folder, options.signers) if options.signers is not None else ""
    except InvalidData as error:
        altered = (*result.altered, Alteration(SIGNATURE, _NOT_SIGNED))
        notes = (*result.notes, error.message)
        return replace(result, altered=altered, signature="not valid", notes=notes)
    if not who:
        return replace(result, signature="unnamed", key=key)
    other = tuple(one for one in result.altered if one.what.startswith(OTHER_VERSION))
    altered = tuple(one for one in result.altered if one not in other)
    notes = (*result.notes, *(f"{one.path}: {one.what}." for one in other))
    return replace(result, altered=altered, signature="valid", signer=who, key=key, notes=notes)


def _now() -> str:
    given = os.environ.get(_EPOCH, "")
    at = int(given) if given.isdigit() and len(given) <= _MOST_DIGITS else None
    moment = datetime.now(UTC) if at is None else datetime.fromtimestamp(at, UTC)
    return moment.isoformat(timespec="seconds")

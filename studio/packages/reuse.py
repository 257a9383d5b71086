"""Bundles that are used again while everything that they are made from is the same.

Packaging loads and runs the model for seconds. A deployment that changes nothing needs none of it:
the registry keeps the digest of what a variant was last packaged from, with the result.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import fields, replace
from pathlib import Path

from studio.datasets.suffixes import PREPROCESS
from studio.documents.dataclass_json import InvalidDocument, JsonValue, from_json, to_json
from studio.lazy_dataclass import dataclass
from studio.packages.results import PackageResult
from studio.packages.step import PackageOptions
from studio.plugin_host import PluginHost
from studio.plugin_host.tool_versions import tools
from studio.registry import ModelRef, Registry, VersionRecord, file_digest, folder_digest
from studio.settings import write_atomically

_ELSEWHERE = ("out", "sign", "numbering")
"""Options that change no byte of the content; of the numbering, its facts about the variant do."""


@dataclass(frozen=True, slots=True)
class _LastPackaging:
    """What a variant was last packaged from, and the result."""

    inputs: str
    result: PackageResult


def reusable(registry: Registry, options: PackageOptions) -> PackageResult | None:
    """Return the bundle that packaging would make, where the same inputs have made one."""
    try:
        last = from_json(_LastPackaging, json.loads(_place(registry, options.model).read_bytes()))
        if last.inputs != inputs_digest(options) or not Path(last.result.bundle).is_dir():
            return None
    except (OSError, ValueError, InvalidDocument):
        return None
    known = {version.digest for version in registry.versions(options.model.model)}
    return last.result if last.result.digest in known else None


def remember(
    registry: Registry, options: PackageOptions, result: PackageResult, version: VersionRecord
) -> None:
    """Keep what a stored bundle was made from, for the next deployment of the variant."""
    stored = replace(result, new=False, bundle=str(version.path), signature="")
    place = _place(registry, options.model)
    try:
        document = to_json(_LastPackaging(inputs_digest(options), stored))
        place.parent.mkdir(exist_ok=True)
        write_atomically(place, json.dumps(document).encode(), 0o600)
    except OSError:  # without it the next deployment packages again
        return


def inputs_digest(options: PackageOptions) -> str:
    """Return the SHA-256 of all that a bundle's content follows from.

    Raises:
        OSError: when a file cannot be read.
    """
    numbering = options.numbering
    facts = () if numbering is None else (numbering.made, numbering.latency, numbering.notice)
    document = {
        "options": {
            field.name: _value(getattr(options, field.name))
            for field in fields(options)
            if field.name not in _ELSEWHERE
        },
        "variant": [to_json(fact) for fact in facts],
        "tools": tools(PluginHost.again()),
        "epoch": os.environ.get("SOURCE_DATE_EPOCH", ""),
    }
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def _value(value: object) -> JsonValue:
    if isinstance(value, ModelRef):
        return [value.digest, value.format, value.precision, value.model_name]
    if not isinstance(value, Path):
        plain: JsonValue = to_json(value)
        return plain
    if value.is_dir():
        return folder_digest(value)
    companion = value.parent / PREPROCESS  # read with the data
    return [value.name, *(file_digest(one) for one in (value, companion) if one.is_file())]


def _place(registry: Registry, model: ModelRef) -> Path:
    return registry.folder / "packaged" / f"{model.variant}.json"

"""Kept results: a step whose inputs did not change is not run again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.api import Kind
from studio.registry import Registry
from studio.settings import full_path
from studio.steps.catalogue import step as step_named
from studio.steps.inputs import path_digest
from studio.steps.runner import StepRunner

_OUTPUTS = "outputs"


def key_of(runner: StepRunner, name: str, given: Mapping[str, Any]) -> str:
    """Return the digest of a step's inputs; empty for one whose result is never kept.

    Raises:
        UsageError: when an option does not fit.
    """
    if not step_named(name).is_cached:
        return ""
    try:
        return runner.inputs(name, given)
    except (OSError, ValueError):  # the step will say what is wrong with its files
        return ""


def lookup(
    registry: Registry, key: str, name: str, given: Mapping[str, Any]
) -> tuple[dict[str, Any], str] | None:
    """Return the stored result for these inputs and the run that made it.

    None without a result, or when one of its outputs is missing or changed.
    """
    kept = registry.ledger.cached_result(key) if key else None
    if kept is None:
        return None
    result = dict(kept.result)
    outputs = result.pop(_OUTPUTS, {})
    if not (is_there(result, registry) and _are_same(outputs) and _opens(name, given, result)):
        registry.ledger.remove_result(key)
        return None
    return result, kept.run


def store(
    registry: Registry,
    key: str,
    name: str,
    run: str,
    given: Mapping[str, Any],
    result: Mapping[str, Any],
) -> None:
    """Store a result, with the digests of the copies that the step has made."""
    if not key:
        return
    outputs = {}
    for option in step_named(name).form:
        written = given.get(option.name)
        if option.kind is Kind.OUTPUT and written:
            path = full_path(str(result.get("output") or result.get("bundle") or written))
            outputs[str(path)] = path_digest(path) if path.exists() else ""
    registry.ledger.store_result(key, name, run, {**result, _OUTPUTS: outputs})


def is_there(result: Mapping[str, Any], registry: Registry) -> bool:
    """Return whether the model and the files that a result names still exist."""
    paths = [result[key] for key in ("bundle", "output") if isinstance(result.get(key), str)]
    if not all(registry.has(Path(path)) for path in paths):
        return False
    number = result.get("variant")
    if not isinstance(number, int):
        return True
    found = next((one for one in registry.variants() if one.id == number), None)
    return found is not None and registry.has(found.path)


def _are_same(outputs: Mapping[str, str]) -> bool:
    try:
        return all(path_digest(Path(path)) == digest for path, digest in outputs.items())
    except (OSError, ValueError):
        return False


def _opens(name: str, given: Mapping[str, Any], result: Mapping[str, Any]) -> bool:
    """Return whether ``open`` reads the model's file alone: external tensors are not in the key."""
    if name not in ("open", "inspect"):
        return True
    model = full_path(str(given.get("model")))
    return int(result.get("bytes") or -1) == model.stat().st_size

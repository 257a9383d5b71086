"""The profiles of a workspace: listed, compared, and written into files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from studio.api import UsageError
from studio.documents.dataclass_json import JsonValue, to_json
from studio.profiling import history
from studio.profiling.history import (
    STEP,
    ProfileComparison,
    ProfileDocument,
    ProfileLine,
    read_profile,
)
from studio.profiling.language.environments import own_backend
from studio.profiling.results import Comparison
from studio.quantization.advice import with_speed
from studio.quantization.results import figures_of
from studio.registry import LOCAL, ModelRef, Registry, VariantRecord
from studio.steps.format_support import is_language
from studio.workspace.results import Recorded, Results


class Profiles:
    """The profiles that a registry keeps."""

    def __init__(self, registry: Registry, results: Results) -> None:
        self._registry = registry
        self._results = results

    def all(self, model: int | None = None) -> list[ProfileDocument]:
        """Return the profiles, the newest first; those of one model where it is given."""
        chosen = [None] if model is None else [v.id for v in self._registry.variants(model)]
        runs = [
            run for variant in chosen for run in self._results.of(STEP, ProfileDocument, variant)
        ]
        return [_profile(run) for run in sorted(runs, key=lambda run: -run.id)]

    def with_measured_times(self, variants: list[VariantRecord]) -> list[VariantRecord]:
        """Return variants with the latency ratio of the newest profile on this computer.

        A quantization measures for a second; its own figure stays where no profile has one.
        """
        model = variants[0].model if variants else None
        newest = (
            next((one for one in self.all(model) if _compares_here(one)), None) if model else None
        )
        if newest is None:
            return variants
        runs = {run.id: run for run in newest.runs}
        ratios = {
            runs[one.b].variant_id: one
            for one in newest.main_verdicts
            if one.b in runs and one.ratio is not None
        }
        return [_measured(one, ratios[one.id]) if one.id in ratios else one for one in variants]

    def lines(self, model: int | None = None) -> list[ProfileLine]:
        """Return the row of each profile in a list."""
        return [history.line(profile) for profile in self.all(model)]

    def compare(self, before: int, after: int) -> ProfileComparison:
        """Compare two profiles row by row."""
        first, second = (read_profile(self.document(number)) for number in (before, after))
        return history.compare(first, second)

    def document(self, number: int) -> dict[str, JsonValue]:
        """Return one profile as JSON, with its options, and sizes and metrics of the variants.

        Raises:
            UsageError: when no profile has this number.
        """
        for run in self._registry.runs(STEP):
            if run.id == number:
                return history.document(self._registry, run)
        raise UsageError(f"Unknown profile {number}.", hint="studio profiles list")

    def text_backend(self, variant: VariantRecord | None) -> str:
        """Return the backend of a language model; empty for another model, or without one."""
        if variant is None or not is_language(variant):
            return ""
        try:
            return own_backend(ModelRef.of(variant))
        except UsageError:
            return ""

    def save(self, number: int, folder: Path) -> Path:
        """Write the document of one profile into a folder, for the step ``profile-export``."""
        path = folder / "profile.json"
        path.write_text(json.dumps(self.document(number)), encoding="utf-8")
        return path


def _compares_here(profile: ProfileDocument) -> bool:
    return profile.mode in ("", "latency") and profile.target in ("", LOCAL.name)


def _measured(variant: VariantRecord, verdict: Comparison) -> VariantRecord:
    made = figures_of(variant.summary)
    interval = (verdict.low, verdict.high) if verdict.low and verdict.high else None
    made = replace(
        made,
        latency_ratio=verdict.ratio,
        latency_interval=interval,
        latency_confidence=verdict.confidence or made.latency_confidence,
        latency_verdict=verdict.verdict,
        advice=with_speed(made.advice or "", made.precision, interval, made.size_ratio or 0.0),
    )
    return replace(variant, summary={**variant.summary, "quantize": to_json(made)})


def _profile(run: Recorded[ProfileDocument]) -> ProfileDocument:
    return replace(run.result, run=run.id, at=run.created, options=run.options)

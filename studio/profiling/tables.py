"""A profile as rows of a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from studio.documents.plain import spreadsheet_cell
from studio.profiling.history import ProfileDocument
from studio.profiling.operator_times import RunPlacement
from studio.profiling.results import Comparison, ProfileRun

COLUMNS = (
    *("run", "at", "target", "mode", "id", "model", "variant", "backend", "runtime", "version"),
    *("device", "precision", "threads", "state", "reason", "samples"),
    *("p50_ms", "p90_ms", "p99_ms", "first_ms", "load_ms", "memory_mb", "cpu_ms"),
    *("max_error", "relative_error", "ratio", "low", "high", "margin", "verdict"),
    *("fallback", "energy_mj", "energy_low", "energy_high", "energy_rail"),
    *("best_per_second", "best_streams", "best_batch", "rate_per_second", "limit_ms", "drift"),
    *("size_bytes", "quality"),
    *("first_token_ms", "prefill_per_second", "tokens_per_second", "prompt_p50", "answer_tokens"),
)
"""One row for each variant on each backend; what is not known is empty."""

_BEST = ("per_second", "streams", "batch")
Cell = str | float | None


def rows(profile: ProfileDocument) -> list[dict[str, Cell]]:
    """Return flat rows of a profile."""
    verdicts = {each.b: each for each in profile.main_verdicts}
    places = {each.id: each for each in profile.placement.runs} if profile.placement else {}
    return [_row(profile, run, verdicts.get(run.id), places.get(run.id)) for run in profile.runs]


def as_csv(profile: ProfileDocument) -> str:
    """Return the rows as CSV (RFC 4180), with a heading."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    for row in rows(profile):
        writer.writerow({key: spreadsheet_cell(value) for key, value in row.items()})
    return out.getvalue()


def _row(
    profile: ProfileDocument,
    run: ProfileRun,
    verdict: Comparison | None,
    place: RunPlacement | None,
) -> dict[str, Cell]:
    variant = str(run.variant_id or "")
    cells: dict[str, Cell] = {
        **_cells(profile, ("run", "at", "target", "mode")),
        **_cells(run, COLUMNS),
        **_cells(run.latency_ms, ("p50", "p90", "p99"), "{}_ms"),
        **_cells(verdict, ("ratio", "low", "high", "margin", "verdict")),
        **_cells(place, ("fallback",)),
        **_cells(run.energy, ("mj", "low", "high"), "energy_{}"),
        **_cells(profile.energy, ("rail",), "energy_{}"),
        **_cells(run.throughput and run.throughput.best, _BEST, "best_{}"),
        **_cells(run.open_loop, ("rate_per_second", "limit_ms")),
        "drift": run.sustained.drift.ratio if run.sustained else None,
        **_tokens(run),
        "size_bytes": profile.sizes.get(variant),
        "quality": profile.quality.values.get(variant),
    }
    return {key: cells.get(key) for key in COLUMNS}


def _tokens(run: ProfileRun) -> dict[str, Cell]:
    """Return the figures of a language model with the first number of streams."""
    found = run.tokens
    if found is None or not found.settings:
        return {}
    first = found.settings[0]
    return {
        "first_token_ms": first.first_ms.p50,
        "prefill_per_second": first.prefill_per_second,
        "tokens_per_second": first.per_second,
        "prompt_p50": found.prompts.p50,
        "answer_tokens": found.prompts.answer,
    }


def _cells(values: object, names: Sequence[str], column: str = "{}") -> dict[str, Cell]:
    """Return attributes of an object as cells; without those that it has not."""
    return {column.format(name): getattr(values, name) for name in names if hasattr(values, name)}

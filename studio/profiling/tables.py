"""A profile as rows of a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

from studio.documents.plain import spreadsheet_cell

COLUMNS = (
    *("run", "at", "target", "mode", "id", "model", "variant", "backend", "runtime", "version"),
    *("device", "precision", "threads", "state", "reason", "samples"),
    *("p50_ms", "p90_ms", "p99_ms", "first_ms", "load_ms", "memory_mb", "cpu_ms"),
    *("max_error", "relative_error", "ratio", "low", "high", "margin", "verdict"),
    *("fallback", "energy_mj", "energy_low", "energy_high", "energy_rail"),
    *("best_per_second", "best_streams", "best_batch", "rate_per_second", "limit_ms", "drift"),
    *("size_bytes", "quality"),
)
"""One row for each variant on each backend; what is not known is empty."""

Json = Mapping[str, Any]


def rows(document: Json) -> list[dict[str, Any]]:
    """Flat rows of a profile.

    Args:
        document: See ``history.document``; a bare result does as well.
    """
    verdicts = {each["b"]: each for each in document.get("verdicts") or ()}
    places = {each["id"]: each for each in (document.get("placement") or {}).get("runs") or ()}
    return [
        _row(document, run, verdicts.get(run["id"], {}), places.get(run["id"], {}))
        for run in document.get("runs") or ()
    ]


def as_csv(document: Json) -> str:
    """The rows as CSV (RFC 4180), with a heading."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    for row in rows(document):
        writer.writerow({key: spreadsheet_cell(value) for key, value in row.items()})
    return out.getvalue()


def _row(document: Json, run: Json, verdict: Json, place: Json) -> dict[str, Any]:
    latency = run.get("latency_ms") or {}
    energy = run.get("energy") or {}
    best = (run.get("throughput") or {}).get("best") or {}
    open_loop = run.get("open_loop") or {}
    variant = str(run.get("variant_id") or "")
    found = {
        **{key: document.get(key) for key in ("run", "at", "target", "mode")},
        **{key: run.get(key) for key in COLUMNS if key in run},
        **{f"{key}_ms": latency.get(key) for key in ("p50", "p90", "p99")},
        **{key: verdict.get(key) for key in ("ratio", "low", "high", "margin", "verdict")},
        "fallback": place.get("fallback"),
        "energy_mj": energy.get("mj"),
        "energy_low": energy.get("low"),
        "energy_high": energy.get("high"),
        "energy_rail": (document.get("energy") or {}).get("rail"),
        **{f"best_{key}": best.get(key) for key in ("per_second", "streams", "batch")},
        **{key: open_loop.get(key) for key in ("rate_per_second", "limit_ms")},
        "drift": ((run.get("sustained") or {}).get("drift") or {}).get("ratio"),
        "size_bytes": (document.get("sizes") or {}).get(variant),
        "quality": ((document.get("quality") or {}).get("values") or {}).get(variant),
    }
    return {key: found.get(key) for key in COLUMNS}

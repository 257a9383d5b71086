"""What the Deploy page says: the targets' rows, a plan's steps, a history, a call to try."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from studio.api import TargetSpec
from studio.gui import figures
from studio.gui.pages import target_rows
from studio.gui.pages.parts import StateRow, part

if TYPE_CHECKING:
    from studio.workspace import ReleaseRecord, VariantRecord

COLUMNS = ("Target", "Kind", "Running", "p50 ms", "req/s", "Errors", "State", "Since")
NUMERIC = (3, 4, 5)

Json = Mapping[str, Any]

# The words of a step's state, as the user reads them, and their tone.
STATES = {
    "ok": ("checked", "good"),
    "checked": ("checked", "good"),
    "planned": ("to do", "accent"),
    "todo": ("to do", "accent"),
    "pending": ("to do", "accent"),
    "running": ("running", "accent"),
    "done": ("done", "good"),
    "skipped": ("nothing to do", ""),
    "warning": ("look here", "warning"),
    "failed": ("failed", "bad"),
    "blocked": ("in the way", "bad"),
}
HISTORY = {
    "serving": "good",
    "replaced": "",
    "rolled back": "warning",
    "taken back": "warning",
    "failed": "bad",
}
MOST_ARGUMENT = 100_000  # a shell passes at most 128 KiB in one argument


def target_row(
    target: TargetSpec, facts: Json, releases: Sequence[ReleaseRecord], live: Json
) -> list[str]:
    """One target as texts, in the order of the columns; the state is a word."""
    running = target_rows.running(releases)
    latency = live.get("latency_ms") or {}
    serving = running.release is not None
    state = str(live.get("health") or "serving") if serving else "nothing deployed"
    return [
        target_rows.title(target),
        target_rows.kind(target, facts),
        running.name,
        figures.milliseconds(latency.get("p50")),
        figures.rate(live.get("throughput")),
        figures.whole(live.get("errors")),
        state,
        figures.age(running.release.created) if running.release else figures.NOTHING,
    ]


def tone(state: str) -> str:
    """The colour behind a target's state word."""
    if state in ("serving", "healthy", "ok", "ready"):
        return "good"
    if state == "nothing deployed":
        return ""
    return "bad" if state in ("offline", "failed", "unreachable") else "warning"


def plan(steps: Iterable[Json]) -> list[StateRow]:
    """The steps of a plan or of a deploy, each with its state as a word."""
    return [step_row(step) for step in steps]


def step_row(step: Json) -> StateRow:
    """One step of a plan."""
    raw = str(step.get("state") or "planned")
    word, shade = STATES.get(raw, (raw, ""))
    name = str(part(step, "title", "name") or "").replace("_", " ")
    text = str(part(step, "text", "detail", "reason") or "")
    return StateRow(word, shade, name[:1].upper() + name[1:], text)


def in_the_way(steps: Iterable[Json]) -> str:
    """Why a plan cannot be carried out: the first step that failed its check; else empty."""
    for step in steps:
        row = step_row(step)
        if row.tone == "bad":
            return f"{row.name}: {row.text}"
    return ""


def merge(steps: Sequence[Json], update: Json) -> list[Json]:
    """The steps with one of them changed, found by its name; a new one comes last."""
    name = update.get("name")
    merged = [{**step, **update} if step.get("name") == name else step for step in steps]
    if all(step.get("name") != name for step in steps):
        merged.append(dict(update))
    return merged


def history_row(release: ReleaseRecord) -> tuple[str, str, str, str, str]:
    """One line of a target's history: version, state, its tone, when, and by whom."""
    details = release.details
    reason = part(details, "reason", "error")
    state = f"{release.state}: {reason}" if reason else release.state
    shade = HISTORY.get(release.state, "")
    by = str(part(details, "by", "operator") or "")
    return target_rows.release_name(release), state, shade, figures.moment(release.created), by


def rollback_candidate(releases: Sequence[ReleaseRecord]) -> ReleaseRecord | None:
    """The release that a rollback would bring back: the last good one before that which serves."""
    serving = target_rows.running(releases).release
    if serving is None:
        return None
    for release in releases:
        older = release.id < serving.id and release.digest != serving.digest
        if older and release.state in target_rows.SERVING | {"replaced"}:
            return release
    return None


def version_number(release: ReleaseRecord) -> str:
    """What a rollback calls a release: its version's number, empty where it has none."""
    number = part(release.details, "version", "number")
    return "" if number is None else str(number).removeprefix("v")


def curl(endpoint: str, model: str, variant: VariantRecord | None) -> str:
    """A command that calls the endpoint: an inference on zeros where that is short enough."""
    base = f"{endpoint.rstrip('/')}/v2/models/{model}"
    inputs = variant.summary.get("inputs") if variant is not None else None
    tensors = [_tensor(entry) for entry in inputs or ()]
    if not tensors or any(tensor is None for tensor in tensors):
        return f"curl -s {base}"
    body = ",".join(tensor for tensor in tensors if tensor is not None)
    return f'curl -s {base}/infer -d "{{\\"inputs\\":[{body}]}}"'


def _tensor(entry: Json) -> str | None:
    """An input of zeros for a request, written for a double-quoted shell word."""
    kinds = {"float32": "FP32", "float16": "FP16", "float64": "FP64"}
    dtype = str(entry.get("dtype"))
    kind = kinds.get(dtype, dtype.upper())
    dimensions = entry.get("shape") or ()
    # A free size is almost always the batch; 1 fits.
    shape = [size if isinstance(size, int) and size > 0 else 1 for size in dimensions]
    count = math.prod(shape)
    if 2 * count > MOST_ARGUMENT or not kind.startswith(("FP", "INT", "UINT")):
        return None
    zeros = f"$(yes 0 | head -n {count} | paste -sd,)"
    values = {"name": entry.get("name"), "shape": shape, "datatype": kind}
    quoted = ",".join(
        f'\\"{key}\\":' + (f'\\"{value}\\"' if isinstance(value, str) else str(value))
        for key, value in values.items()
    ).replace(", ", ",")
    return f'{{{quoted},\\"data\\":[{zeros}]}}'

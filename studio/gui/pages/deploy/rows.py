"""What the Deploy page says: the targets' rows, a plan's steps, a history, a call to try."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from studio.api import TargetSpec
from studio.gui import figures
from studio.gui.pages.shared import target_rows
from studio.gui.pages.shared.stage_page import StateRow, part

if TYPE_CHECKING:
    from studio.workspace import ReleaseRecord, VariantRecord, Workspace

COLUMNS = ("Target", "Kind", "Running", "p50 ms", "req/s", "Errors", "State", "Since")
NUMERIC = (3, 4, 5)

Json = Mapping[str, Any]

# The words of a step's state, as the user reads them, and their tone.
STATES = {
    "checked": ("checked", "good"),
    "planned": ("pending", "accent"),
    "running": ("running", "accent"),
    "done": ("done", "good"),
    "skipped": ("unchanged", ""),
    "warning": ("warning", "warning"),
    "failed": ("failed", "bad"),
    "blocked": ("blocked", "bad"),
}
HISTORY = {
    "serving": "good",
    "rolled back": "warning",
    "failed": "bad",
}
LOOPBACK = ("127.0.0.1", "localhost", "::1")
LOOKS = 20
"""So many looks at boards are gone through for what was learned last."""

MOST_ARGUMENT = 100_000  # a shell passes at most 128 KiB in one argument


def target_row(
    target: TargetSpec, facts: Json, releases: Sequence[ReleaseRecord], live: Json
) -> list[str]:
    """One target as texts, in the order of the columns; the state is a word."""
    running = target_rows.running(releases)
    serving = running.release is not None
    if running.release is not None and live.get("digest") != running.release.digest:
        live = {}  # it was measured of another release
    latency = live.get("latency_ms") or {}
    state = str(live.get("health") or "serving") if serving else "no release"
    return [
        target_rows.title(target),
        target_rows.kind(target, target_rows.facts_of(facts)),
        running.name,
        figures.milliseconds(latency.get("p50")),
        figures.rate(live.get("throughput")),
        figures.whole(live.get("errors")),
        state,
        figures.age(running.release.created) if running.release else figures.NOTHING,
    ]


def last_seen(workspace: Workspace) -> dict[str, Json]:
    """What was last learned of each target: by a watch that came to its end, or by a look."""
    registry = workspace.registry
    runs = [*registry.runs("monitor"), *registry.runs("target-look", most=LOOKS)]
    seen: dict[str, Json] = {}
    for run in sorted(runs, key=lambda one: one.created, reverse=True):
        for row in run.result.get("targets") or [run.result]:
            found = {"digest": row.get("release"), "health": row.get("state"), **row}
            seen.setdefault(str(row.get("target") or run.options.get("target")), found)
    return seen


def told_by_tool(result: Json) -> dict[str, Json]:
    """What a start or a stop says of its target, as something that was seen; else nothing."""
    if not result.get("state") or not result.get("release"):
        return {}
    return {str(result["target"]): {"digest": result["release"], "health": result["state"]}}


def tone(state: str) -> str:
    """The colour behind a target's state word."""
    if state in ("serving", "healthy"):
        return "good"
    if state == "no release":
        return ""
    return "bad" if state in ("unreachable", "degraded") else "warning"


def plan(steps: Iterable[Json], details: bool = False) -> list[StateRow]:
    """The steps of a plan or of a deploy, each with its state as a word.

    Args:
        details: With the files that are sent and the commands that are run.
    """
    return [step_row(step, details) for step in steps]


def step_row(step: Json, details: bool = False) -> StateRow:
    """One step of a plan."""
    raw = str(step.get("state") or "planned")
    word, shade = STATES.get(raw, (raw, ""))
    name = str(part(step, "title", "name") or "").replace("_", " ")
    text = str(part(step, "text", "detail", "reason") or "")
    if details:
        files = [f"{one['name']}, {one['bytes']:,} bytes" for one in step.get("files") or ()]
        text = "\n".join(filter(None, [text, *files, str(step.get("command") or "")]))
    return StateRow(word, shade, name[:1].upper() + name[1:], text)


def in_the_way(steps: Iterable[Json]) -> str:
    """Why a plan cannot be carried out: the first step that failed its check; else empty."""
    for step in steps:
        row = step_row(step)
        if row.tone == "bad":
            return f"{row.name}: {row.text}"
    return ""


def history(releases: Sequence[ReleaseRecord]) -> list[tuple[str, str, str, str, str]]:
    """A target's history, the newest first: version, state, its tone, when, and by whom.

    The record is only ever added to, so what served before still says so; it was replaced.
    """
    serving = target_rows.running(releases).release
    names = {r.digest: target_rows.release_name(r) for r in releases if _has_variant(r)}
    lines = []
    for release in releases:
        state = release.state
        if state == target_rows.SERVING and release is not serving:
            state = "replaced"
        reason = part(release.details, "reason", "error")
        by = str(release.details.get("by") or "").partition("@")[0]
        lines.append(
            (
                names.get(release.digest) or target_rows.release_name(release),
                f"{state}: {reason}" if reason else state,
                HISTORY.get(state, ""),
                figures.moment(release.created),
                by,
            )
        )
    return lines


def _has_variant(release: ReleaseRecord) -> bool:
    return bool(release.details.get("variant_name"))


def rollback_candidate(releases: Sequence[ReleaseRecord]) -> ReleaseRecord | None:
    """The release that a rollback would bring back: the newest version below the serving one."""
    serving = target_rows.running(releases).release
    current = None if serving is None else figures.number(serving.details.get("version"))
    if current is None:
        return None
    earlier = [
        (version, release)
        for release in releases
        if release.state == target_rows.SERVING
        and (version := figures.number(release.details.get("version"))) is not None
        and version < current
    ]
    return max(earlier, key=lambda pair: pair[0])[1] if earlier else None


def ahead(live: Sequence[Json], planned: Sequence[Json]) -> list[Json]:
    """The steps of a running deploy, and those of its plan that it has not come to."""
    begun = {step.get("name") for step in live}
    waiting = (step for step in planned if step.get("state") == "planned")
    return [*live, *(step for step in waiting if step.get("name") not in begun)]


def fail_running(steps: Iterable[Json], sentence: str) -> list[Json]:
    """The steps of a job that failed: the one that ran has failed, with the reason."""
    return [
        {**step, "state": "failed", "text": sentence} if step.get("state") == "running" else step
        for step in steps
        if step.get("state") != "planned"
    ]


def version_number(release: ReleaseRecord) -> str:
    """What a rollback calls a release: its version's number, empty where it has none."""
    number = release.details.get("version")
    return "" if number is None else str(number)


def curl(target: TargetSpec, release: ReleaseRecord, variant: VariantRecord | None) -> str:
    """A command that calls the endpoint: an inference on zeros where that is short enough.

    A board that listens on its own loopback is called there. A token is never part of it: it is
    read where the command runs, from the target's own file or from the user's environment.
    """
    endpoint = str(release.details.get("endpoint") or "").rstrip("/")
    base = f"{endpoint}/v2/models/{release.details.get('name') or ''}".rstrip("/")
    board = urlsplit(target.url)
    if board.scheme == "ssh" and urlsplit(endpoint).hostname in LOOPBACK:
        login = f"{board.username}@{board.hostname}" if board.username else board.hostname
        port = f"-p {board.port} " if board.port else ""
        call = f"curl -s {_credentials(release, at_home=True)}{base}"
        # What is quoted is for the board's shell.
        return f"ssh {port}{login} " + (f"'{call}'" if '"' in call else call)
    inputs = variant.summary.get("inputs") if variant is not None else None
    tensors = [_tensor(entry) for entry in inputs or ()]
    base = _credentials(release, at_home=board.scheme == "local") + base
    if not tensors or any(tensor is None for tensor in tensors):
        return f"curl -s {base}"
    body = ",".join(tensor for tensor in tensors if tensor is not None)
    return f'curl -s {base}/infer -d "{{\\"inputs\\":[{body}]}}"'


def _credentials(release: ReleaseRecord, at_home: bool) -> str:
    """The words for a token and a certificate, ended by a space; empty where none is needed.

    Args:
        at_home: The command runs on the machine that serves.
    """
    details, words = release.details, ""
    folder = f"{details.get('root') or ''}/access"
    if details.get("fingerprint"):
        file = f"{folder}/tls.pem" if at_home else str(details.get("certificate_file") or "")
        words += f'--cacert "{file}" '
    if details.get("token_required"):
        token = f"$(head -n 1 {folder}/token)" if at_home else "$EDGEWRIGHT_TOKEN"
        words += f'-H "Authorization: Bearer {token}" '
    return words


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

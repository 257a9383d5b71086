"""The rows of the Deploy page: a plan's steps, a history, an example call."""

from __future__ import annotations

import itertools
import json
import math
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from studio.api import TargetSpec
from studio.deployment.results import DeployStep
from studio.documents.dataclass_json import read_parts
from studio.gui import figures
from studio.gui.pages.deploy.release_details import ReleaseDetails
from studio.gui.pages.shared import target_rows
from studio.gui.pages.shared.stage_page import StateRow
from studio.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from studio.workspace import ReleaseRecord, VariantRecord

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
FEW = 4
"""From this number on, passed checks that follow each other share a row."""

LOOPBACK = ("127.0.0.1", "localhost", "::1")
MOST_ARGUMENT = 100_000  # a shell passes at most 128 KiB in one argument


def plan(steps: Iterable[DeployStep], details: bool = False) -> list[StateRow]:
    """Return the steps of a plan or of a deploy, each with its state as a word.

    Args:
        details: Show each check in a row of its own, with files and commands.
    """
    found: list[StateRow] = []
    for passed, some in itertools.groupby(steps, lambda step: step.state == "checked"):
        group = list(some)
        if details or not passed or len(group) < FEW:
            found += [step_row(step, details) for step in group]
        else:
            names = ", ".join(_name(step).lower() for step in group)
            found.append(StateRow(*STATES["checked"], f"{len(group)} checks", names))
    return found


def _name(step: DeployStep) -> str:
    return step.name.replace("_", " ")


def step_row(step: DeployStep, details: bool = False) -> StateRow:
    """Return one step of a plan."""
    word, shade = STATES.get(step.state, (step.state, ""))
    name, text = _name(step), step.text
    if details:
        files = [f"{one.name}, {one.bytes:,} bytes" for one in step.files or ()]
        text = "\n".join(filter(None, [text, *files, step.command]))
    return StateRow(word, shade, name[:1].upper() + name[1:], text)


def in_the_way(steps: Iterable[DeployStep]) -> str:
    """Return why a plan cannot be carried out: the first step that failed its check; else empty."""
    for step in steps:
        row = step_row(step)
        if row.tone == "bad":
            return f"{row.name}: {row.text}"
    return ""


def blocked_by_model(steps: Iterable[DeployStep]) -> bool:
    """Return whether a plan is blocked because another model is served there."""
    return any(step.name == "model" and step.state == "blocked" for step in steps)


def history(releases: Sequence[ReleaseRecord]) -> list[tuple[str, str, str, str, str]]:
    """Return a target's history, the newest first: version, state, its tone, when, and by whom.

    The record is append-only, so an earlier release still reads as serving; it was replaced.
    """
    serving = target_rows.running(releases).release
    names = {r.digest: target_rows.release_name(r) for r in releases if _has_variant(r)}
    lines = []
    for release in releases:
        state = release.state
        if state == target_rows.SERVING and release is not serving:
            state = "replaced"
        details = ReleaseDetails.of(release)
        reason = details.error if details.reason is None else details.reason
        by = details.by.partition("@")[0]
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
    return bool(ReleaseDetails.of(release).variant_name)


def rollback_candidate(releases: Sequence[ReleaseRecord]) -> ReleaseRecord | None:
    """Return the release that a rollback restores: the newest version below the serving one."""
    serving = target_rows.running(releases).release
    current = None if serving is None else figures.number(ReleaseDetails.of(serving).version)
    if current is None:
        return None
    earlier = [
        (version, release)
        for release in releases
        if release.state == target_rows.SERVING
        and (version := figures.number(ReleaseDetails.of(release).version)) is not None
        and version < current
    ]
    return max(earlier, key=lambda pair: pair[0])[1] if earlier else None


def ahead(live: Sequence[DeployStep], planned: Sequence[DeployStep]) -> list[DeployStep]:
    """Return the steps of a running deploy, and those of its plan that it has not come to."""
    begun = {step.name for step in live}
    waiting = (step for step in planned if step.state == "planned")
    return [*live, *(step for step in waiting if step.name not in begun)]


def fail_running(steps: Iterable[DeployStep], sentence: str) -> list[DeployStep]:
    """Return the steps of a job that failed: the one that ran has failed, with the reason.

    A target that does not answer fails between two steps, and gets a line of its own.
    """
    failed = [
        replace(step, state="failed", text=sentence) if step.state == "running" else step
        for step in steps
        if step.state != "planned"
    ]
    if any(step.state in ("failed", "blocked") for step in failed):
        return failed
    return [*failed, DeployStep("connect", "failed", sentence)]


def version_number(release: ReleaseRecord) -> str:
    """Return the version number of a release for a rollback; empty without one."""
    number = ReleaseDetails.of(release).version
    return "" if number is None else str(number)


def curl(target: TargetSpec, release: ReleaseRecord, variant: VariantRecord | None) -> str:
    """Return a command that calls the endpoint: an inference on zeros where that is short enough.

    A language model is called over OpenAI's protocol.

    A board that listens on its own loopback is called there. A token is never part of it: it is
    read where the command runs, from the target's own file or from the user's environment.
    """
    details = ReleaseDetails.of(release)
    endpoint = details.endpoint.rstrip("/")
    base = f"{endpoint}/v2/models/{details.name}".rstrip("/")
    board = urlsplit(target.url)
    if board.scheme == "ssh" and urlsplit(endpoint).hostname in LOOPBACK:
        login = f"{board.username}@{board.hostname}" if board.username else board.hostname
        port = f"-p {board.port} " if board.port else ""
        call = f"curl -s {_credentials(details, at_home=True)}{base}"
        # What is quoted is for the board's shell.
        return f"ssh {port}{login} " + (f"'{call}'" if '"' in call else call)
    credentials = _credentials(details, at_home=board.scheme == "local")
    summary = read_parts(_ModelSummary, variant.summary if variant is not None else {})
    if summary.language is not None:
        return f"curl -s {credentials}{endpoint}{_question(details.name, summary.language)}"
    tensors = [_tensor(one) for one in summary.inputs or ()]
    base = credentials + base
    if not tensors or any(tensor is None for tensor in tensors):
        return f"curl -s {base}"
    body = ",".join(tensor for tensor in tensors if tensor is not None)
    return f'curl -s {base}/infer -d "{{\\"inputs\\":[{body}]}}"'


def _credentials(details: ReleaseDetails, at_home: bool) -> str:
    """Return the words for a token and a certificate, ended by a space; empty where none is needed.

    Args:
        at_home: The command runs on the machine that serves.
    """
    words, folder = "", f"{details.root}/access"
    if details.fingerprint:
        file = f"{folder}/tls.pem" if at_home else details.certificate_file
        words += f'--cacert "{file}" '
    if details.token_required:
        token = f"$(head -n 1 {folder}/token)" if at_home else "$EDGEWRIGHT_TOKEN"
        words += f'-H "Authorization: Bearer {token}" '
    return words


@dataclass(frozen=True, slots=True)
class _Input:
    """An input of a model; a free size has a name in its shape, or none."""

    name: str | None = None
    dtype: str | None = None
    shape: tuple[int | str | None, ...] | None = None


@dataclass(frozen=True, slots=True)
class _Language:
    """The facts of a language model, in its summary."""

    chat_template: str = ""


@dataclass(frozen=True, slots=True)
class _ModelSummary:
    """The inputs of a model, in its summary, and the facts of a language model."""

    inputs: tuple[_Input, ...] | None = None
    language: _Language | None = None


def _question(model: str, language: _Language) -> str:
    """Return path and body of a request to a language model; a chat where it has a template."""
    text = "What can you do?"
    chat = {"messages": [{"role": "user", "content": text}]}
    prompt = {"model": model, **(chat if language.chat_template else {"prompt": text})}
    path = "/v1/chat/completions" if language.chat_template else "/v1/completions"
    return f"{path} -d {shlex.quote(json.dumps({**prompt, 'max_tokens': 64}))}"


def _tensor(entry: _Input) -> str | None:
    """Return an input of zeros for a request, written for a double-quoted shell word."""
    kinds = {"float32": "FP32", "float16": "FP16", "float64": "FP64"}
    dtype = str(entry.dtype)
    kind = kinds.get(dtype, dtype.upper())
    # A free size is almost always the batch; 1 fits.
    shape = [size if isinstance(size, int) and size > 0 else 1 for size in entry.shape or ()]
    count = math.prod(shape)
    if 2 * count > MOST_ARGUMENT or not kind.startswith(("FP", "INT", "UINT")):
        return None
    zeros = f"$(yes 0 | head -n {count} | paste -sd,)"
    values = {"name": entry.name, "shape": shape, "datatype": kind}
    quoted = ",".join(
        f'\\"{key}\\":' + (f'\\"{value}\\"' if isinstance(value, str) else str(value))
        for key, value in values.items()
    ).replace(", ", ",")
    return f'{{{quoted},\\"data\\":[{zeros}]}}'

"""The rows of a model's file: inputs, outputs, licence, safety check, and the run of one sample."""

from __future__ import annotations

from collections.abc import Sequence

from studio.evaluation.results import SampleResult
from studio.gui import figures
from studio.gui.pages.project.rows import OPEN, READY, WARNING, ProjectRow
from studio.lazy_dataclass import dataclass
from studio.models.results import LanguageFacts, ModelFigures, Terminal
from studio.projects.results import Project
from studio.workspace import answer_words, short_shape

_SHOWN = 3
_LONGEST = 80
_INFO = "info"
_WHERE = "Put a LICENSE file in the model's folder, or name the licence in its metadata."
_NO_LICENCE = "Not known. Add a LICENSE file."


@dataclass(frozen=True, slots=True)
class SampleState:
    """The progress and the outcome of the run of a sample.

    Attributes:
        result: None while it runs, and where it could not be started.
        problem: Why there is no result.
        is_running: Whether there will be one.
    """

    result: SampleResult | None = None
    problem: str = ""
    is_running: bool = False


def terminal_rows(model: ModelFigures) -> list[ProjectRow]:
    """Return the rows of inputs and outputs, in tokens for a language model."""
    if model.language is not None:
        return _language_rows(model.language)
    return [
        _terminals("inputs", "Inputs", model.inputs),
        _terminals("outputs", "Outputs", model.outputs),
    ]


def file_rows(model: ModelFigures, size: int, project: Project) -> list[ProjectRow]:
    """Return the rows of licence and safety check.

    Args:
        size: Bytes of all files of the model.
    """
    return [_licence(model, project), _safety(model, size)]


def sample_row(state: SampleState) -> ProjectRow:
    """Return the row of one sample's run."""
    field, title = "sample", "Sample result"
    if state.is_running:
        return _fact(field, title, OPEN, "Running a sample…")
    if state.result is None:
        return _fact(field, title, OPEN, state.problem)
    run = state.result.run
    if run is None:
        problem, hint = state.result.problem, state.result.hint
        return _fact(field, title, WARNING, "Failed", f"{problem} {hint}".strip(), issue=problem)
    words = f"{answer_words(run.answer)} · {figures.milliseconds(run.milliseconds)} ms"
    return _fact(field, title, READY, words, source=f"{run.sample}, on this computer")


def _language_rows(facts: LanguageFacts) -> list[ProjectRow]:
    length = f"up to {figures.whole(facts.context)} tokens" if facts.context else ""
    entries = f"{figures.whole(facts.vocabulary)} tokens known" if facts.vocabulary else ""
    words = {"inputs": ("Inputs", length), "outputs": ("Outputs", entries)}
    found = [
        _fact(field, title, READY, " · ".join(filter(None, ("text", more))))
        for field, (title, more) in words.items()
    ]
    has_template = bool(facts.chat_template)
    chats = "The model has one." if has_template else "None: it continues texts, and does not chat."
    return [*found, _fact("chat_template", "Chat template", READY if has_template else OPEN, chats)]


def _terminals(field: str, title: str, values: Sequence[Terminal]) -> ProjectRow:
    if not values:
        return _fact(field, title, OPEN, "Not known.")
    texts = [_terminal(one) for one in values]
    more = f" · {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    shown = " · ".join(texts[:_SHOWN])
    return _fact(field, title, READY, f"{shown}{more}", "\n".join(texts), _dynamic(values))


def _terminal(value: Terminal) -> str:
    """Return a terminal in words: ``image float32 batch×1×8×8``."""
    name, dtype = (_plain(text) for text in (value.name, value.dtype))
    return f"{name} {dtype} {short_shape(value.shape)}".strip()


def _dynamic(values: Sequence[Terminal]) -> str:
    if any(one.shape is None for one in values):
        return "unknown shapes"
    is_open = any(not isinstance(size, int) for one in values for size in one.shape or ())
    return "dynamic sizes" if is_open else "static sizes"


def _licence(model: ModelFigures, project: Project) -> ProjectRow:
    if model.licence:
        name = _plain(model.licence)
        return _fact("licence", "Licence", READY, name, name, "the model's metadata")
    if not project.licence:
        return _fact("licence", "Licence", OPEN, _NO_LICENCE, _WHERE)
    source = next((one for one in project.found if one.what == "licence"), None)
    return _fact("licence", "Licence", READY, project.licence, source=source.why if source else "")


def _safety(model: ModelFigures, size: int) -> ProjectRow:
    size_text = figures.size(size)
    if not model.intake:
        return _fact("safety", "Safety check", READY, "No issues found", source=size_text)
    texts = [_plain(one.text) for one in model.intake]
    cautions = [_plain(one.text) for one in model.intake if one.level != _INFO]
    shown = " ".join(texts) if not cautions else figures.count(len(cautions), "issue")
    return _fact(
        "safety",
        "Safety check",
        WARNING if cautions else READY,
        shown,
        "\n".join(texts),
        size_text,
        " ".join(cautions[:_SHOWN]),
    )


def _fact(
    field: str,
    title: str,
    state: str,
    value: str,
    whole: str = "",
    source: str = "",
    issue: str = "",
) -> ProjectRow:
    return ProjectRow(
        field, title, state, value, whole, source, issue, counts=False, can_change=False
    )


def _plain(text: str) -> str:
    """Return printable text of bounded length: names come with the model."""
    printable = "".join(char if char.isprintable() else "?" for char in text)
    return printable if len(printable) <= _LONGEST else f"{printable[:_LONGEST]}…"

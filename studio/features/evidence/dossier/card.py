"""Cards of the model and of its data: statements of the dossier under other headings, in Markdown.

Model: Mitchell et al., Model Cards for Model Reporting (2019). Data: the parts of Pushkarna et al.,
Data Cards (2022), that records or answers can fill.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from studio.features.evidence.dossier.figure_texts import interval_text, value_text
from studio.features.evidence.dossier.outline import Dossier
from studio.features.evidence.dossier.statement import Statement, StatementTable
from studio.features.evidence.frameworks.subjects import subjects
from studio.features.evidence.results import PRESENT

HEADINGS = {
    "Model details": ("model.summary", "licence", "provider.identity", "model.lineage"),
    "Intended use": ("intended.use", "misuse", "notices.users"),
    "Factors": ("quality.groups", "data.bias"),
    "Metrics": ("quality.metrics", "metric.choice", "quality.calibration", "quality.robustness"),
    "Evaluation data": ("data.evaluation",),
    "Training data": ("data.training", "data.calibration", "data.personal"),
    "Quantitative analyses": ("performance.latency", "energy", "explanations"),
    "Ethical considerations": ("risk.assessment", "impact.assessment", "oversight.human"),
    "Caveats and recommendations": ("limitations", "monitoring.plan", "changes.planned"),
}


DATA_HEADINGS = {
    "Data sets": ("data.calibration", "data.evaluation", "data.training"),
    "Composition": ("quality.groups",),
    "Bias and gaps": ("data.bias",),
    "Persons": ("data.personal",),
}


def model_card(dossier: Dossier) -> str:
    """Return the card; a heading without records or answers names what is missing."""
    return _card(f"Model card: {dossier.subject.title}", HEADINGS, dossier)


def data_card(dossier: Dossier) -> str:
    """Return the card of the data sets by which the model was made and measured."""
    return _card(f"Data card: {dossier.subject.title}", DATA_HEADINGS, dossier)


def _card(title: str, headings: Mapping[str, Sequence[str]], dossier: Dossier) -> str:
    lines = [f"# {_plain(title)}", ""]
    for heading, names in headings.items():
        lines += [f"## {heading}", ""]
        for name in names:
            lines += _subject(dossier.statements[name], subjects()[name].title)
    return "\n".join(lines).rstrip() + "\n"


def _subject(statement: Statement, title: str) -> Iterator[str]:
    if statement.state != PRESENT:
        yield from (f"**{title}**: {statement.state}. {_plain(statement.note)}", "")
    else:
        yield from (f"**{title}** ({_plain(statement.note)})", "")
    for text in statement.paragraphs:
        yield from (_plain(text), "")
    if statement.figures:
        rows = tuple((one.title, value_text(one), interval_text(one)) for one in statement.figures)
        yield from _table(StatementTable(("figure", "value", "95 % interval"), rows, numbers=" nn"))
    for one in statement.tables:
        yield from _table(one)


def _table(table: StatementTable) -> Iterator[str]:
    marks = ["---:" if table.numbers[i : i + 1] == "n" else "---" for i in range(len(table.head))]
    for cells in (table.head, marks, *table.rows):
        yield f"| {' | '.join(_plain('' if cell is None else str(cell)) for cell in cells)} |"
    yield ""


def _plain(text: str) -> str:
    """Return a text in one line that Markdown shows as it is."""
    line = escape(" ".join(text.split()), quote=False)
    for mark in "\\`*_[]|#":
        line = line.replace(mark, f"\\{mark}")
    return line

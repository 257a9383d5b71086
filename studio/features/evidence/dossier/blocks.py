"""The dossier as a sequence of blocks, which the page and the PDF draw alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from studio.features.evidence.dossier.figure_texts import interval_text, value_text
from studio.features.evidence.dossier.outline import Dossier
from studio.features.evidence.dossier.statement import Picture, Statement, StatementTable
from studio.features.evidence.frameworks.results import FrameworkCoverage, SectionCoverage
from studio.features.evidence.frameworks.subjects import app_subjects, title_of
from studio.features.evidence.results import ASKED, MISSING, PRESENT, Figure
from studio.lazy_dataclass import dataclass

_STATES = (PRESENT, ASKED, MISSING)
_SUMMARY = "summary"
_APP = "app"
_APP_GRAPH = "app.graph"
_OF_GROUPS = "quality.groups"
_KEY = (
    "app.test",
    "quality.metrics",
    _OF_GROUPS,
    "quality.calibration",
    "performance.latency",
)
_MOST_KEY = 3
_SHORT_DIGEST = 16
_DIGEST = 64
PURPOSE = (
    "This folder shows what was recorded, what persons have written, and what is missing. It is "
    "evidence, not a judgement: whether a law is met is decided by people who know the law."
)


@dataclass(frozen=True, slots=True)
class StateWord:
    """A state as a coloured word; ``words`` is shown in its place where it has more to say."""

    state: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A text that leads to a heading of the document (``#ANCHOR``), or to a file next to it."""

    text: str
    place: str


Content = str | StateWord | Link


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading: of the document (1), of a section (2), of a subject (3) or of a table (4)."""

    text: str
    level: int
    anchor: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph; a dim one is a note."""

    text: str
    dim: bool = False


@dataclass(frozen=True, slots=True)
class States:
    """Numbers of subjects by state, in one line."""

    words: tuple[StateWord, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of texts, states and links; ``numbers`` marks right-aligned columns with ``n``."""

    head: tuple[str, ...]
    rows: tuple[tuple[Content, ...], ...]
    numbers: str = ""


@dataclass(frozen=True, slots=True)
class Pictures:
    """Pictures in a row, each with its caption."""

    pictures: tuple[Picture, ...]


Block = Heading | Paragraph | States | Grid | Pictures


def blocks(dossier: Dossier) -> Iterator[Block]:
    """Yield the dossier; the sections of all frameworks are a document of their own."""
    yield from _head(dossier)
    yield from _glance(dossier)
    yield from _contents(dossier)
    shown: set[str] = set()
    yield from _app(dossier, shown)
    for chapter in dossier.chapters:
        yield from _chapter(dossier, chapter, shown)
    yield from _rest(dossier, shown)
    yield from _files(dossier)


def coverage_blocks(dossier: Dossier) -> Iterator[Block]:
    """Yield the sections of all frameworks with their states."""
    yield Heading(f"Frameworks: {dossier.subject.title}", 1)
    yield Paragraph(PURPOSE)
    for found in dossier.coverages:
        yield from _coverage(found)


def _head(dossier: Dossier) -> Iterator[Block]:
    subject = dossier.subject
    yield Heading(f"Evidence: {subject.title}", 1)
    counts = {state: sum(one.state == state for one in dossier.sections) for state in _STATES}
    yield States(tuple(StateWord(state, f"{count} {state}") for state, count in counts.items()))
    yield Paragraph(f"Made {_moment(dossier.created)} UTC. Model SHA-256 {subject.digest}.", True)
    yield Paragraph(PURPOSE)


def _glance(dossier: Dossier) -> Iterator[Block]:
    """Yield the first figures of the subjects that most readers look for; the lowest groups."""
    chosen = [figure for name in _KEY for figure in _key_figures(dossier, name)]
    if chosen:
        yield Heading("At a glance", 2, _SUMMARY)
        yield _figures(chosen)


def _key_figures(dossier: Dossier, name: str) -> Sequence[Figure]:
    statement = dossier.statements.get(name)
    figures = () if statement is None else statement.figures
    if name == _OF_GROUPS:
        figures = tuple(sorted(figures, key=lambda one: one.value))
    return figures[:_MOST_KEY]


def _contents(dossier: Dossier) -> Iterator[Block]:
    yield Heading("Contents", 2, "contents")
    rows: tuple[tuple[Content, ...], ...] = tuple(
        (Link(one.cite, f"#{one.id}"), one.heading, StateWord(one.state))
        for one in dossier.chapters
    )
    if _APP_GRAPH in dossier.statements:
        rows = ((Link("App", f"#{_APP}"), f"The app {dossier.subject.app}", ""), *rows)
    yield Grid(("section", "heading", "state"), rows)


def _app(dossier: Dossier, shown: set[str]) -> Iterator[Block]:
    """Yield what is recorded of the app, which Annex IV has no section for."""
    names = [name for name in app_subjects() if name in dossier.statements]
    if names:
        yield Heading(f"The app {dossier.subject.app}", 2, _APP)
    for name in names:
        yield from _subject(dossier, name, shown)


def _chapter(dossier: Dossier, chapter: SectionCoverage, shown: set[str]) -> Iterator[Block]:
    yield Heading(f"{chapter.cite}: {chapter.heading}", 2, chapter.id, chapter.state)
    if chapter.wants:
        yield Paragraph(chapter.wants, True)
    for one in chapter.subjects:
        yield from _subject(dossier, one.id, shown)
    if not chapter.subjects:
        yield Paragraph("The studio keeps nothing about this section.")


def _rest(dossier: Dossier, shown: set[str]) -> Iterator[Block]:
    """Yield the subjects that are recorded, but that Annex IV does not name."""
    present = [name for name in dossier.rest if dossier.statements[name].state == PRESENT]
    if present:
        yield Heading("Further records", 2, "further")
    for name in present:
        yield from _subject(dossier, name, shown)


def _subject(dossier: Dossier, name: str, shown: set[str]) -> Iterator[Block]:
    statement, title = dossier.statements[name], title_of(name)
    if name in shown:
        yield Grid((), ((Link(f"{title}: above", f"#{name}"), StateWord(statement.state)),))
        return
    shown.add(name)
    yield Heading(title, 3, name, statement.state)
    if statement.note:
        yield Paragraph(statement.note, True)
    yield from _content(statement)


def _content(statement: Statement) -> Iterator[Block]:
    for text in statement.paragraphs:
        yield Paragraph(text)
    if statement.figures:
        yield _figures(statement.figures)
    for one in statement.tables:
        yield from _table(one)
    if statement.pictures:
        yield Pictures(statement.pictures)


def _figures(figures: Sequence[Figure]) -> Grid:
    """Return a table of figures without columns that would be empty."""
    columns: list[tuple[str, list[Content], str]] = [
        ("figure", [one.title for one in figures], " "),
        ("value", [value_text(one) for one in figures], "n"),
        ("95 % interval", [interval_text(one) for one in figures], "n"),
        ("samples", ["" if one.count is None else f"{one.count:,}" for one in figures], "n"),
        ("follows from", [Link(one.file, one.file) if one.file else "" for one in figures], " "),
    ]
    kept = [column for column in columns if any(column[1])]
    return Grid(
        tuple(name for name, _, _ in kept),
        tuple(zip(*(cells for _, cells, _ in kept), strict=True)),
        "".join(mark for _, _, mark in kept),
    )


def _table(given: StatementTable) -> Iterator[Block]:
    if given.title:
        yield Heading(given.title, 4)
    rows = tuple(tuple(_cell(cell) for cell in row) for row in given.rows)
    yield Grid(given.head, rows, given.numbers)


def _cell(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float):
        return f"{cell:.4g}"
    text = str(cell)
    return f"{text[:_SHORT_DIGEST]}…" if _is_digest(text) else text


def _is_digest(text: str) -> bool:
    return len(text) == _DIGEST and all(char in "0123456789abcdef" for char in text)


def _coverage(found: FrameworkCoverage) -> Iterator[Block]:
    yield Heading(f"Sections of {found.title}", 2, f"framework-{found.framework}")
    yield Paragraph(f"{found.source}. As of {found.as_of}. {found.note}", True)
    if found.checked:
        yield Paragraph(found.checked, True)
    rows = tuple(
        (
            one.cite,
            one.heading,
            StateWord(one.state),
            ", ".join(part.title for part in one.subjects),
        )
        for one in found.sections
    )
    yield Grid(("section", "heading", "state", "evidence"), rows)


def _files(dossier: Dossier) -> Iterator[Block]:
    yield Heading("Files", 2, "files")
    yield Paragraph(
        "studio evidence verify FOLDER compares each file with evidence.json, checks its "
        "signature, and computes the figures again."
    )
    rows = tuple((Link(name, name), what) for name, what in sorted(dossier.files.items()))
    yield Grid(("file", "content"), rows)


def _moment(created: str) -> str:
    return created[:16].replace("T", " ")

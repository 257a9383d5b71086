"""The dossier as one HTML page that loads nothing and runs nothing."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from studio.documents.html import Html, page, paragraph, table
from studio.evidence.dossier.figure_texts import interval_text, value_text
from studio.evidence.dossier.outline import Dossier
from studio.evidence.dossier.statement import Picture, Statement, Table
from studio.evidence.frameworks.results import FrameworkCoverage, SectionCoverage
from studio.evidence.frameworks.subjects import subjects
from studio.evidence.results import ASKED, MISSING, PRESENT
from studio.settings import resource

_STATES = (PRESENT, ASKED, MISSING)
_PICTURES = (".png", ".jpg")
_WORDS = {"partial": "partly present", "outside": "not kept here"}
DISCLAIMER = (
    "This folder shows what was recorded, what persons have written, and what is missing. It is "
    "evidence, not a judgement: whether a law is met is decided by people who know the law."
)


def dossier_page(dossier: Dossier) -> str:
    """Return the page; pictures are files beside it."""
    style = "\n".join(
        resource("templates", name).read_text(encoding="utf-8")
        for name in ("report.css", "dossier.css")
    )
    shown: set[str] = set()
    body = [
        *_head(dossier),
        *_contents(dossier),
        *(part for one in dossier.chapters for part in _chapter(dossier, one, shown)),
        *_rest(dossier, shown),
        *map(_coverage, dossier.coverages),
        *_files(dossier),
    ]
    return page(f"Evidence: {dossier.subject.title}", style, body, pictures="'self'")


def _head(dossier: Dossier) -> Iterator[Html]:
    subject = dossier.subject
    yield Html(f"<h1>Evidence: {escape(subject.title)}</h1>")
    counts = [sum(one.state == state for one in dossier.sections) for state in _STATES]
    pills = " ".join(
        _state(state, f"{count} {state}") for state, count in zip(_STATES, counts, strict=True)
    )
    yield Html(f"<p>{pills}</p>")
    made = f"Made {dossier.created[:16].replace('T', ' ')} UTC by Edgewright."
    yield paragraph(f"{made} Model SHA-256 {subject.digest}.", "dim")
    yield paragraph(DISCLAIMER)


def _contents(dossier: Dossier) -> Iterator[Html]:
    rows = [
        (
            Html(f'<a href="#{escape(one.id)}">{escape(one.cite)}</a>'),
            one.heading,
            Html(_state(one.state)),
        )
        for one in dossier.chapters
    ]
    yield _section("Contents", Html(table(("section", "heading", "state"), rows)))


def _chapter(dossier: Dossier, chapter: SectionCoverage, shown: set[str]) -> Iterator[Html]:
    parts = [paragraph(chapter.wants, "dim")] if chapter.wants else []
    for one in chapter.subjects:
        parts += _subject(dossier, one.id, shown)
    if not chapter.subjects:
        parts.append(paragraph("The studio keeps nothing about this section."))
    title = f"{chapter.cite}: {chapter.heading}"
    yield _section(title, *parts, anchor=chapter.id, state=chapter.state)


def _rest(dossier: Dossier, shown: set[str]) -> Iterator[Html]:
    """Yield the subjects that are recorded, but that Annex IV does not name."""
    present = [name for name in dossier.rest if dossier.statements[name].state == PRESENT]
    if present:
        parts = [part for name in present for part in _subject(dossier, name, shown)]
        yield _section("Further records", *parts)


def _subject(dossier: Dossier, name: str, shown: set[str]) -> Iterator[Html]:
    statement, title = dossier.statements[name], subjects()[name].title
    if name in shown:
        link = f'<a href="#{escape(name)}">{escape(title)}</a>'
        yield Html(f'<p class="dim">{link}: above.</p>')
        return
    shown.add(name)
    head = f'<h3 id="{escape(name)}">{escape(title)} {_state(statement.state)}</h3>'
    yield Html(head)
    if statement.note:
        yield paragraph(statement.note, "dim note")
    yield from _content(statement)


def _content(statement: Statement) -> Iterator[Html]:
    for text in statement.paragraphs:
        yield paragraph(text)
    if statement.figures:
        yield _figures(statement)
    for one in statement.tables:
        yield from _table(one)
    if statement.pictures:
        yield Html(f'<div class="maps">{"".join(map(_picture, statement.pictures))}</div>')


def _figures(statement: Statement) -> Html:
    rows = [
        (
            one.title,
            value_text(one),
            interval_text(one),
            "" if one.count is None else one.count,
            Html(f'<a href="{escape(one.file)}">{escape(one.file)}</a>' if one.file else ""),
        )
        for one in statement.figures
    ]
    return table(("figure", "value", "95 % interval", "samples", "follows from"), rows, " nnn")


def _table(given: Table) -> Iterator[Html]:
    if given.title:
        yield Html(f"<h4>{escape(given.title)}</h4>")
    cells = [["" if cell is None else _cell(cell) for cell in row] for row in given.rows]
    yield table(given.head, cells, given.numbers)


def _cell(cell: str | int | float) -> str:
    return f"{cell:.4g}" if isinstance(cell, float) else str(cell)


def _picture(picture: Picture) -> str:
    if not picture.file.endswith(_PICTURES):
        return ""
    caption = escape(picture.caption)
    image = f'<img src="{escape(picture.file)}" alt="{caption}">'
    return f"<figure>{image}<figcaption>{caption}</figcaption></figure>"


def _coverage(found: FrameworkCoverage) -> Html:
    rows = [
        (
            one.cite,
            one.heading,
            Html(_state(one.state)),
            ", ".join(part.title for part in one.subjects),
        )
        for one in found.sections
    ]
    notes = [paragraph(f"{found.source}. As of {found.as_of}. {found.note}", "dim")]
    if found.checked:
        notes.append(paragraph(found.checked, "dim"))
    head = ("section", "heading", "state", "evidence")
    anchor = f"framework-{found.framework}"
    return _section(f"Sections of {found.title}", *notes, table(head, rows), anchor=anchor)


def _files(dossier: Dossier) -> Iterator[Html]:
    rows = [
        (Html(f'<a href="{escape(name)}">{escape(name)}</a>'), what)
        for name, what in sorted(dossier.files.items())
    ]
    text = (
        "studio evidence verify FOLDER compares each file with evidence.json, checks its "
        "signature, and computes the figures again."
    )
    yield _section("Files", paragraph(text), table(("file", "content"), rows))


def _section(title: str, *parts: str, anchor: str = "", state: str = "") -> Html:
    mark = f' id="{escape(anchor)}"' if anchor else ""
    label = f" {_state(state)}" if state else ""
    return Html(f"<section{mark}><h2>{escape(title)}{label}</h2>{''.join(parts)}</section>")


def _state(state: str, words: str = "") -> str:
    tone = {PRESENT: "good", MISSING: "bad", "partial": "warn", ASKED: "asked"}.get(state, "quiet")
    return f'<span class="pill {tone}">{escape(words or _WORDS.get(state, state))}</span>'

"""Statements about an app: parts, models, its test, decisions left to persons, limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from studio.documents.dataclass_json import JsonValue
from studio.features.evidence.apps.app_record import APP_FILE, AppRecord, RecordedPart
from studio.features.evidence.apps.app_test import BOARD_FILE, EVENTS_FILE, EXPECTED_FILE, TestedApp
from studio.features.evidence.apps.event_quality import EventShare, event_quality
from studio.features.evidence.dossier.statement import Material, Statement, StatementTable, missing
from studio.features.evidence.results import Figure

GRAPH, TEST, DECISIONS, LIMITS = "app.graph", "app.test", "app.decisions", "app.limits"

_STAYS = {"file": "stays in a file of the board", "database": "stays in a database of the board"}
_PLACES = ("url", "host", "path", "topic")
_MEASURES = {"precision": "Precision", "recall": "Recall", "f1": "F1 score"}
_MOST_KINDS = 40
_OVERRIDE = "override"


def app_facts(
    material: Material,
    app: AppRecord,
    test: TestedApp,
    board: Sequence[Mapping[str, Any]] | None,
) -> Iterator[Statement]:
    """Yield the statements about an app.

    Args:
        board: Decisions and overrides of a board; None where no events were given.
    """
    yield _graph(material, app)
    yield _test(material, test)
    yield _decisions(material, app, test, board)
    yield _limits(app)


def _graph(material: Material, app: AppRecord) -> Statement:
    texts = [f"{app.name} is an app: {app.title or 'it has no title'}."]
    if app.notice:
        texts.append(f"Its pages and events have this notice: {app.notice}")
    texts += [_in_words(one) for one in app.parts]
    texts += [*_leaving(app), _served_text(app)]
    if app.own_code:
        texts.append(f"It has Python code of its own: {', '.join(app.own_code)}.")
    return Statement(
        GRAPH,
        note=f"from the app's {app.origin}",
        paragraphs=tuple(texts),
        tables=(_models(app),),
        figures=tuple(_counts(material, app)),
    )


def _in_words(part: RecordedPart) -> str:
    taken = f" takes {' and '.join(part.inputs)}" if part.inputs else ""
    what = f"{part.summary[:1].lower()}{part.summary[1:]}".rstrip(".")
    return f"{part.group.capitalize()} {part.name} ({part.type}){taken}: {what}."


def _leaving(app: AppRecord) -> Iterator[str]:
    """Yield what leaves the board, one sentence for each sink."""
    for sink in app.of("sink"):
        if sink.type == "mjpeg":
            continue
        place = next((str(sink.settings[key]) for key in _PLACES if key in sink.settings), "")
        names = " and ".join(sink.inputs)
        where = _STAYS.get(sink.type) or f"leaves the board by {sink.type}"
        yield f"What {names} gives {where}{f' ({place})' if place else ''}."
    if not app.of("sink"):
        yield "The app has no sink, so no event leaves the board."
    most, days = app.stored
    yield f"The board keeps delivered events for {days:g} days, and up to {most:,.0f} of them."
    allowed = "may see pictures of the sources" if app.pictures else "see no picture of a source"
    yield f"Users of its server {allowed}."


def _served_text(app: AppRecord) -> str:
    served = [one for one in app.models if one.served]
    if not served:
        return "The app runs no model."
    others = [one.name for one in app.models if not one.served]
    return f"The first figures are those of the model {served[0].name}." + (
        f" Its further models: {', '.join(others)}." if others else ""
    )


def _models(app: AppRecord) -> StatementTable:
    rows = tuple((one.name, one.task, one.variant, one.file, one.digest) for one in app.models)
    return StatementTable(("model", "task", "registered as", "file", "SHA-256"), rows, "Models")


def _counts(material: Material, app: AppRecord) -> Iterator[Figure]:
    for group in ("source", "step", "sink"):
        arguments: dict[str, JsonValue] = {"place": ["parts"], "having": {"group": group}}
        value = float(len(app.of(group)))
        name = f"app.{group}s"
        yield _figure(material, name, f"{group.capitalize()}s", value, GRAPH, APP_FILE, arguments)
    place: dict[str, JsonValue] = {"place": ["models"], "having": {}}
    count = float(len(app.models))
    yield _figure(material, "app.models", "Models", count, GRAPH, APP_FILE, place)


def _test(material: Material, test: TestedApp) -> Statement:
    if test.why:
        return missing(TEST, test.why)
    matching = test.matching
    compared = ", ".join(("kind", *matching.compare))
    texts = [
        f"The app ran on its recordings: {test.frames:,} frames, {test.failed:,} failed. An event "
        f"counts as found within {matching.within_s:g} s, with equal {compared}.",
        f"The app asks for an F1 score of {test.f1:g}.",
    ]
    kinds = ("", *matching.kinds[:_MOST_KINDS]) if len(matching.kinds) > 1 else ("",)
    figures = [one for kind in kinds for one in _qualities(material, test, kind)]
    return Statement(
        TEST, note="measured for this folder", paragraphs=tuple(texts), figures=tuple(figures)
    )


def _qualities(material: Material, test: TestedApp, kind: str) -> Iterator[Figure]:
    matching = test.matching
    quality = event_quality(test.expected, test.found, matching, kind)
    counts = {"precision": quality.found, "recall": quality.expected, "f1": None}
    for name, title in _MEASURES.items():
        share: EventShare = getattr(quality, name)
        yield Figure(
            f"app.test.{kind or 'all'}.{name}",
            f"{title} of {f'events {kind}' if kind else 'all events'}",
            share.value,
            share.low,
            share.high,
            count=counts[name],
            file=EVENTS_FILE,
            method="events",
            arguments={
                "expected": EXPECTED_FILE,
                "within_s": matching.within_s,
                "compare": list(matching.compare),
                "kinds": list(matching.kinds),
                "kind": kind,
                "measure": name,
                "value": "value",
            },
            origin=material.origin(),
            section=TEST,
        )


def _decisions(
    material: Material,
    app: AppRecord,
    test: TestedApp,
    board: Sequence[Mapping[str, Any]] | None,
) -> Statement:
    banded = [one for one in app.models if one.refer]
    figures: list[Figure] = []
    texts = []
    for one in banded:
        place: list[JsonValue] = ["models", app.models.index(one), "refer"]
        low, high = one.refer
        texts.append(
            f"A probability of {one.name} between {low:g} and {high:g} is left to a person (refer)."
        )
        figures += [
            _figure(
                material,
                f"app.band.{one.name}.{name}",
                f"{title} end of the band of {one.name}",
                value,
                DECISIONS,
                APP_FILE,
                {"place": [*place, at]},
                "field",
            )
            for at, (name, title, value) in enumerate(
                (("low", "Lower", low), ("high", "Upper", high))
            )
        ]
    figures += _counted(material, "app.test.decisions", "Test", test.found, EVENTS_FILE)
    if board is not None:
        texts.append(f"Of a board, {len(board):,} events were given.")
        figures += _counted(material, "app.board.decisions", "Board", board, BOARD_FILE)
        figures += _overrides(material, board)
    elif figures:
        texts.append("Overrides of a board are counted with --events FILE.")
    if not figures:
        return missing(DECISIONS, "no band for a person, and no decision in the events")
    note = "from the app and its events"
    return Statement(DECISIONS, note=note, paragraphs=tuple(texts), figures=tuple(figures))


def _counted(
    material: Material, name: str, title: str, rows: Sequence[Mapping[str, Any]], file: str
) -> list[Figure]:
    """Return how many events have each decision; overrides are counted by themselves."""
    pairs = Counter(
        (str(row["kind"]), row["decision"])
        for row in rows
        if isinstance(row.get("decision"), str) and row["kind"] != _OVERRIDE
    )
    return [
        _figure(
            material,
            f"{name}.{kind}.{decision}",
            f"{title}: events {kind} with the decision {decision}",
            float(count),
            DECISIONS,
            file,
            {"place": [], "having": {"kind": kind, "decision": decision}},
        )
        for (kind, decision), count in sorted(pairs.items())[:_MOST_KINDS]
    ]


def _overrides(material: Material, rows: Sequence[Mapping[str, Any]]) -> list[Figure]:
    every = [row for row in rows if row["kind"] == _OVERRIDE]
    pairs = Counter((str(row.get("was", "")), str(row.get("decision", ""))) for row in every)
    having: list[tuple[str, str, int, dict[str, JsonValue]]] = [
        ("app.board.overrides", "Board: overrides by a person", len(every), {"kind": _OVERRIDE})
    ]
    having += [
        (
            f"app.board.overrides.{was}.{decision}",
            f"Board: overrides from {was} to {decision}",
            count,
            {"kind": _OVERRIDE, "was": was, "decision": decision},
        )
        for (was, decision), count in sorted(pairs.items())[:_MOST_KINDS]
    ]
    return [
        _figure(
            material,
            name,
            title,
            float(count),
            DECISIONS,
            BOARD_FILE,
            {"place": [], "having": wanted},
        )
        for name, title, count, wanted in having
    ]


def _limits(app: AppRecord) -> Statement:
    if not app.limits:
        return missing(LIMITS, app.no_limits)
    return Statement(LIMITS, note="from the app's README.md", paragraphs=app.limits)


def _figure(
    material: Material,
    name: str,
    title: str,
    value: float,
    section: str,
    file: str,
    arguments: Mapping[str, JsonValue],
    method: str = "number",
) -> Figure:
    return Figure(
        name,
        title,
        value,
        file=file,
        method=method,
        arguments=arguments,
        origin=material.origin(),
        section=section,
    )

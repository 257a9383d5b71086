"""The graph of an app: parts with known types, connected by kinds that fit, without a loop."""

from __future__ import annotations

from typing import Any, Dict, FrozenSet, List, Mapping, NamedTuple, Sequence, Set, Tuple

from .catalog import SINKS, SOURCES, STEPS
from .document import AppDocument, PartDocument
from .items import EVENTS, PICTURES
from .own_code import TYPE
from .parts import SinkType, SourceType, StepType
from .settings import AppError, read_settings


class AppSource(NamedTuple):
    """A source with its settings."""

    name: str
    type: SourceType
    settings: Any

    @property
    def is_live(self) -> bool:
        """Whether it runs in real time."""
        return self.type.is_live(self.settings)


class StepInput(NamedTuple):
    """Connection of a step to the part that it takes values from."""

    part: str
    kind: str


class Step(NamedTuple):
    """A step with its settings.

    Attributes:
        gives: Kind of its value; empty: events alone.
        sources: Names of the sources whose frames reach it.
    """

    name: str
    type: StepType
    settings: Any
    inputs: Tuple[StepInput, ...]
    gives: str
    sources: FrozenSet[str]


class Sink(NamedTuple):
    """A sink with its settings."""

    name: str
    type: SinkType
    settings: Any
    inputs: Tuple[str, ...]


class AppGraph(NamedTuple):
    """A graph that can run.

    Attributes:
        steps: In an order in which each comes after its inputs.
    """

    document: AppDocument
    sources: Tuple[AppSource, ...]
    steps: Tuple[Step, ...]
    sinks: Tuple[Sink, ...]

    @property
    def receivers(self) -> Tuple[Sink, ...]:
        """The sinks that take events."""
        return tuple(one for one in self.sinks if not one.type.takes_pictures)

    @property
    def own_code(self) -> Dict[str, str]:
        """Python files of the app by the steps and sinks that run them."""
        parts: Tuple[Any, ...] = (*self.steps, *self.sinks)
        return {one.name: str(one.settings.file) for one in parts if one.type.name == TYPE}

    @property
    def requirements(self) -> Dict[str, str]:
        """Distributions that it needs on a target: name and version."""
        found = dict(self.document.packages)
        for needed in (
            *(source.type.requirements for source in self.sources),
            *(sink.type.requirements for sink in self.sinks),
        ):
            found.update(needed)
        return found


def graph_of(document: AppDocument, variables: Mapping[str, str] = {}) -> AppGraph:
    """Check an app and return its graph.

    Args:
        variables: Values of this board.

    Raises:
        AppError: in one sentence, naming the part.
    """
    sources = tuple(_source(document, part, variables) for part in document.sources)
    offers = {one.name: frozenset([one.type.gives]) for one in sources}
    reach = {one.name: frozenset([one.name]) for one in sources}
    steps = []
    for part in _ordered(document):
        step = _step(document, part, variables, offers, reach)
        offers[step.name] = frozenset([EVENTS, *([step.gives] if step.gives else [])])
        reach[step.name] = step.sources
        steps.append(step)
    sinks = tuple(_sink(document, part, variables, offers) for part in document.sinks)
    return AppGraph(document, sources, tuple(steps), sinks)


def _source(document: AppDocument, part: PartDocument, variables: Mapping[str, str]) -> AppSource:
    kind = SOURCES.get(part.type)
    if kind is None:
        raise AppError(_unknown("sources", part, SOURCES))
    given = document.settings_of(part, variables)
    return AppSource(part.name, kind, read_settings(kind.settings, given, "sources." + part.name))


def _step(
    document: AppDocument,
    part: PartDocument,
    variables: Mapping[str, str],
    offers: Mapping[str, FrozenSet[str]],
    reach: Mapping[str, FrozenSet[str]],
) -> Step:
    kind = STEPS[part.type]
    place = "steps." + part.name
    given = document.settings_of(part, variables)
    settings = read_settings(kind.settings, given, place)
    takes = frozenset(filter(None, [getattr(settings, "takes", "")])) or kind.takes
    inputs = tuple(_connection(place, kind.name, takes, name, offers) for name in part.inputs)
    if len({one.kind for one in inputs}) > 1:
        kinds = sorted({one.kind for one in inputs})
        raise AppError("{}: its inputs are of different kinds: {}.".format(place, _and(kinds)))
    gives = inputs[0].kind if kind.follows else next(iter(kind.gives), "")
    sources = frozenset().union(*(reach[name] for name in part.inputs))
    gives = getattr(settings, "gives", gives)  # of an own step
    return Step(part.name, kind, settings, inputs, "" if gives == EVENTS else gives, sources)


def _connection(
    place: str, kind: str, takes: FrozenSet[str], name: str, offers: Mapping[str, FrozenSet[str]]
) -> StepInput:
    if name not in offers:
        raise AppError("{}: its input {!r} does not exist.".format(place, name))
    fits = offers[name] & takes
    if not fits:
        sentence = "{}: a {} step takes {}, and {} gives {}."
        wanted, given = _or(sorted(takes)), _and(sorted(offers[name]))
        raise AppError(sentence.format(place, kind, wanted, name, given))
    # Values go before events, which every step has.
    chosen = sorted(fits, key=lambda one: one == EVENTS)[0]
    return StepInput(name, chosen)


def _sink(
    document: AppDocument,
    part: PartDocument,
    variables: Mapping[str, str],
    offers: Mapping[str, FrozenSet[str]],
) -> Sink:
    kind = SINKS.get(part.type)
    place = "sinks." + part.name
    if kind is None:
        raise AppError(_unknown("sinks", part, SINKS))
    for name in part.inputs:
        if name not in offers:
            raise AppError("{}: its input {!r} does not exist.".format(place, name))
    if kind.takes_pictures:
        _check_shown(document, part, offers)
    given = document.settings_of(part, variables)
    return Sink(part.name, kind, read_settings(kind.settings, given, place), part.inputs)


def _check_shown(
    document: AppDocument, part: PartDocument, offers: Mapping[str, FrozenSet[str]]
) -> None:
    sources = [one.name for one in document.sources if PICTURES in offers[one.name]]
    if len(part.inputs) != 1 or part.inputs[0] not in sources:
        raise AppError(
            "sinks.{}: its input is one source of pictures: {}.".format(
                part.name, _or(sources) if sources else "the app has none"
            )
        )


def _ordered(document: AppDocument) -> List[PartDocument]:
    """Return the steps, each after its inputs.

    Raises:
        AppError: for a loop, and for a type that is unknown.
    """
    steps = {part.name: part for part in document.steps}
    for part in document.steps:
        if part.type not in STEPS:
            raise AppError(_unknown("steps", part, STEPS))
    done: Set[str] = set()
    found: List[PartDocument] = []
    left = list(document.steps)
    while left:
        ready = [part for part in left if not (set(part.inputs) & set(steps)) - done]
        if not ready:
            names = _and([part.name for part in left])
            raise AppError("The steps {} form a loop.".format(names))
        for part in ready:
            done.add(part.name)
            found.append(part)
        left = [part for part in left if part.name not in done]
    return found


def _unknown(group: str, part: PartDocument, known: Mapping[str, object]) -> str:
    import difflib

    near = difflib.get_close_matches(part.type, list(known), 1)
    hint = "Did you mean {}?".format(near[0]) if near else "Known: {}.".format(", ".join(known))
    sentence = "{}.{}: unknown type {!r}. {}"
    return sentence.format(group, part.name, part.type[:60], hint)


def _and(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else names[0]


def _or(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + " or " + names[-1] if len(names) > 1 else names[0]

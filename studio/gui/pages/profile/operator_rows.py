"""The times of operators as rows: by operator type and by node, against the baseline."""

from __future__ import annotations

from collections.abc import Iterable

from studio.gui import figures
from studio.gui.charts.timeline import Bar, Timeline
from studio.lazy_dataclass import dataclass
from studio.profiling.results import NodeTime, OperatorTimes, ProfileResult
from studio.workspace import operator_family

NEW = "new"
"""Shown instead of a ratio where the baseline has no such operator."""

_TOKENS = (
    "convolution",
    "product",
    "activation",
    "normalization",
    "pooling",
    "arithmetic",
    "quantization",
)


@dataclass(frozen=True, slots=True)
class OperatorRow:
    """One operator type, or one node.

    Attributes:
        texts: Name, second column, milliseconds, share, ratio to the baseline, kernels.
        values: What each is sorted by.
        token: Colour of its family.
        share: Of the kernels' time.
        node: Position of its node among the slowest; of a type that of the slowest one.
    """

    texts: tuple[str, ...]
    values: tuple[str | float | None, ...]
    token: str
    share: float
    node: int


def times_of(result: ProfileResult, run: str) -> OperatorTimes | None:
    """Return the operator times of a run; None where there are none."""
    return next((each for each in result.operators if each.run == run and each.nodes), None)


def token(operator: str) -> str:
    """Return the colour token of an operator's family."""
    family = operator_family(operator)
    return f"op_{family if family in _TOKENS else 'other'}"


def by_type(times: OperatorTimes, baseline: OperatorTimes | None) -> list[OperatorRow]:
    """Return a row for each operator type, in falling order of time."""
    before = _groups(baseline) if baseline else {}
    found = []
    for name, places in _groups(times).items():
        nodes = [times.nodes[place] for place in places]
        then = [baseline.nodes[place] for place in before.get(name, ())] if baseline else []
        kernels = _kernels(each for node in nodes for each in node.kernels)
        us, ratio = _us(nodes), _against(_us(nodes), _us(then))
        shown = _ratio_text(ratio, baseline, times)
        texts = (name or figures.NOTHING, str(len(nodes)), *_time(us, times), shown, kernels)
        values = (name, len(nodes), us, us, ratio, kernels)
        found.append(OperatorRow(texts, values, token(name), _share(us, times), places[0]))
    return sorted(found, key=lambda row: -row.share)


def by_node(times: OperatorTimes, baseline: OperatorTimes | None) -> list[OperatorRow]:
    """Return a row for each node, in falling order of time."""
    before = {node_key(node): node.us for node in (baseline.nodes if baseline else ())}
    found = []
    for place, node in enumerate(times.nodes):
        name, operator = "/".join(node_key(node)), node.operator or figures.NOTHING
        kernels, ratio = _kernels(node.kernels), _against(node.us, before.get(node_key(node), 0.0))
        shown = _ratio_text(ratio, baseline, times)
        texts = (name, operator, *_time(node.us, times), shown, kernels)
        values = (name, operator, node.us, node.us, ratio, kernels)
        share = _share(node.us, times)
        found.append(OperatorRow(texts, values, token(node.operator), share, place))
    return found


def node_key(node: NodeTime) -> tuple[str, ...]:
    """Return the name of a node with those of the nodes around it, unique in the model."""
    return (*node.within, node.name)


def timeline(times: OperatorTimes, selected: int) -> Timeline | None:
    """Return the kernels in the order in which they start; None where no start is known.

    Args:
        selected: Position among the nodes of the one that stands out; -1 for none.
    """
    bars = tuple(
        Bar(
            "/".join(node_key(node)),
            node.operator,
            node.start_us / 1000,
            node.us / 1000,
            token(node.operator),
            number,
        )
        for number, node in enumerate(times.nodes)
        if node.start_us is not None
    )
    return Timeline(tuple(sorted(bars, key=lambda bar: bar.start)), selected) if bars else None


def note(times: OperatorTimes, name: str) -> str:
    """Return what the table is about."""
    return f"{name}, {len(times.nodes):,} nodes, {_ms(times.total_us)} ms"


def cost(times: OperatorTimes) -> str:
    """Return what the statistic of the times is, and what measuring them costs."""
    text = "medians of 20 inferences"
    if times.overhead is None:
        return text
    return f"{text}, profiling adds {100 * max(0.0, times.overhead):.0f} %"


def _groups(times: OperatorTimes) -> dict[str, list[int]]:
    """Return the places of the nodes of each operator type, the slowest first."""
    found: dict[str, list[int]] = {}
    for place, node in enumerate(times.nodes):
        found.setdefault(node.operator, []).append(place)
    return found


def _us(nodes: Iterable[NodeTime]) -> float:
    return sum(node.us for node in nodes)


def _ms(us: float) -> str:
    return figures.milliseconds(us / 1000)


def _share(us: float, times: OperatorTimes) -> float:
    return us / (times.total_us or 1.0)


def _time(us: float, times: OperatorTimes) -> tuple[str, str]:
    return _ms(us), f"{100 * _share(us, times):.1f} %"


def _against(us: float, before: float) -> float | None:
    return us / before if before else None


def _ratio_text(ratio: float | None, baseline: OperatorTimes | None, times: OperatorTimes) -> str:
    if baseline is None or baseline.run == times.run:
        return figures.NOTHING
    return NEW if ratio is None else figures.ratio(ratio)


def _kernels(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(names))


def position_of(times: OperatorTimes, name: str) -> int:
    """Return the position of a node of the main graph among the slowest; -1 without one."""
    places = (at for at, node in enumerate(times.nodes) if node_key(node)[0] == name)
    return next(places, -1)

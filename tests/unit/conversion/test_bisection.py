"""The search for the first value that differs, on graphs with a made-up original."""

from __future__ import annotations

import math
import random
from collections.abc import Collection, Mapping, Sequence

import pytest

from studio.api import Graph, Node
from studio.conversion import bisection
from studio.conversion.bisection import Bisection

LIMIT = 1e-3


def graph_of(reads: Mapping[str, Sequence[str]]) -> Graph:
    """Return a graph of nodes by the name of what they compute."""
    nodes = tuple(Node(f"n-{name}", "Op", tuple(one), (name,)) for name, one in reads.items())
    return Graph("g", (), (), nodes)


def chain(length: int) -> Graph:
    return graph_of({f"v{at}": [f"v{at - 1}" if at else "x"] for at in range(length)})


class Original:
    """An original with errors by value; what is not known to it is left out."""

    def __init__(self, errors: Mapping[str, float], unknown: Collection[str] = ()) -> None:
        self._errors, self._unknown = errors, unknown
        self.rounds: list[list[str]] = []

    def __call__(self, names: Sequence[str]) -> dict[str, float]:
        self.rounds.append(list(names))
        return {name: self._errors.get(name, 0.0) for name in names if name not in self._unknown}


def first(
    graph: Graph, last: str, original: Original, known: Collection[str] | None = None
) -> tuple[str, float] | None:
    names = {name for node in graph.nodes for name in node.outputs} if known is None else known
    return Bisection(graph, last, names, LIMIT, lambda _: 4).run(original)


@pytest.mark.parametrize("at", [0, 1, 255, 256, 257, 1000, 4321, 4999])
def test_it_is_found_wherever_it_is_in_a_long_chain(at: int) -> None:
    original = Original({f"v{one}": 0.5 for one in range(at, 5000)})
    assert first(chain(5000), "v4999", original) == (f"v{at}", 0.5)
    assert len(original.rounds) <= 3
    assert max(map(len, original.rounds)) <= bisection.MOST_VALUES + 1


def test_few_values_fit_one_round() -> None:
    original = Original({"v7": 0.2, "v8": 0.1, "v9": 0.3})
    assert first(chain(10), "v9", original) == ("v7", 0.2)
    assert len(original.rounds) == 1


def test_the_branch_with_the_difference_is_found() -> None:
    left = {f"l{at}": [f"l{at - 1}" if at else "x"] for at in range(600)}
    right = {f"r{at}": [f"r{at - 1}" if at else "x"] for at in range(600)}
    graph = graph_of({**left, **right, "sum": ["l599", "r599"], "y": ["sum"]})
    errors = {f"r{at}": 0.3 for at in range(411, 600)} | {"sum": 0.1, "y": 0.1}
    assert first(graph, "y", Original(errors)) == ("r411", 0.3)


def test_a_value_of_another_output_is_not_looked_at() -> None:
    graph = graph_of({"a": ["x"], "other": ["a"], "y": ["a"]})
    original = Original({"other": 0.9, "y": 0.2})
    assert first(graph, "y", original) == ("y", 0.2)
    assert "other" not in original.rounds[0]


def test_a_difference_that_vanishes_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two values of a round agree behind the first difference, which another path carries on."""
    monkeypatch.setattr(bisection, "MOST_VALUES", 4)
    reads = {f"v{at}": [f"v{at - 1}" if at else "x"] for at in range(40)}
    reads["v39"] = ["v38", "v10"]
    errors = {f"v{at}": 0.4 for at in range(7, 15)} | {"v39": 0.2}
    assert first(graph_of(reads), "v39", Original(errors)) == ("v7", 0.4)


@pytest.mark.parametrize("seed", range(30))
def test_what_a_result_is_computed_from_agrees(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bisection, "MOST_VALUES", 5)
    monkeypatch.setattr(bisection, "MOST_ROUNDS", 100)
    chosen = random.Random(seed)
    reads: dict[str, list[str]] = {"v0": ["x"]}
    for at in range(1, 120):
        reads[f"v{at}"] = [f"v{chosen.randrange(max(0, at - 9), at)}" for _ in range(2)]
    errors = {name: chosen.choice([0.0, 0.0, 1e-5, 0.3]) for name in reads} | {"v119": 0.7}
    found = first(graph_of(reads), "v119", Original(errors))
    assert found is not None
    assert errors[found[0]] == found[1] > LIMIT
    assert all(errors.get(name, 0.0) <= LIMIT for name in reads[found[0]])


def test_values_that_the_original_does_not_know_are_passed_over() -> None:
    errors = {f"v{at}": 0.5 for at in range(50, 100)}
    known = {f"v{at}" for at in range(0, 100, 7)}
    assert first(chain(100), "v99", Original(errors), known) == ("v56", 0.5)


def test_values_that_turn_out_to_be_others_are_passed_over() -> None:
    errors = {f"v{at}": 0.5 for at in range(50, 100)}
    unknown = {f"v{at}" for at in range(45, 55)}
    assert first(chain(100), "v99", Original(errors, unknown)) == ("v55", 0.5)


def test_without_known_values_nothing_is_found() -> None:
    original = Original({"v9": 0.5})
    assert first(chain(10), "v9", original, ["other"]) is None
    assert original.rounds == []
    all_others = {f"v{at}" for at in range(9)}
    assert first(chain(10), "v9", Original({"v9": 0.5}, all_others)) is None


def test_an_output_that_agrees_once_values_are_read_has_no_place() -> None:
    assert first(chain(10), "v9", Original({})) is None


def test_an_output_that_is_not_answered_has_no_place() -> None:
    assert first(chain(10), "v9", Original({"v3": 0.5}, ["v9"])) is None


def test_numbers_that_are_none_count_as_a_difference() -> None:
    """As ``relative_error`` measures them: 1 where one side is no number."""
    errors = {f"v{at}": 1.0 for at in range(4, 10)}
    assert first(chain(10), "v9", Original(errors)) == ("v4", 1.0)


def test_large_values_are_compared_few_at_a_time() -> None:
    sizes = {f"v{at}": bisection.MOST_BYTES // 3 for at in range(60)} | {"v5": 1 << 40}
    original = Original({f"v{at}": 0.5 for at in range(23, 60)})
    found = Bisection(chain(60), "v59", sizes, LIMIT, lambda name: sizes[name]).run(original)
    assert found == ("v23", 0.5)
    for names in original.rounds:
        asked = [sizes[name] for name in names if name != "v59"]
        assert sum(asked) <= bisection.MOST_BYTES or len(asked) == 1


def test_a_node_with_several_outputs_and_left_out_inputs() -> None:
    nodes = (
        Node("split", "Split", ("x", ""), ("a", "b")),
        Node("add", "Add", ("a", "b"), ("y",)),
    )
    graph = Graph("g", (), (), nodes)
    assert first(graph, "y", Original({"b": 0.2, "y": 0.1})) == ("b", 0.2)


def test_rounds_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bisection, "MOST_VALUES", 1)
    original = Original({f"v{at}": 0.5 for at in range(4999, 5000)})
    assert first(chain(5000), "v4999", original) is None
    assert len(original.rounds) == bisection.MOST_ROUNDS
    assert math.log2(5000) > bisection.MOST_ROUNDS

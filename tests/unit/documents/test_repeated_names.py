"""Names that differ in one number become one line."""

from __future__ import annotations

from studio.documents.repeated_names import by_pattern


def lines(*names: str) -> list[tuple[str, int]]:
    found = by_pattern(names, lambda name: name, lambda name: name[:1])
    return [(pattern, count) for pattern, _, count in found]


def test_many_become_one() -> None:
    names = [f"past.{number}.key" for number in range(5)]
    assert lines("ids", *names) == [("ids", 1), ("past.*.key", 5)]


def test_few_stay() -> None:
    assert lines("x.0", "x.1", "x.2") == [("x.0", 1), ("x.1", 1), ("x.2", 1)]


def test_only_the_last_number_varies() -> None:
    names = [f"a{layer}.b{head}" for layer in (0, 1) for head in range(4)]
    assert lines(*names) == [("a0.b*", 4), ("a1.b*", 4)]

"""Dataclasses whose methods come late: the same to their users as those of the library."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from studio import lazy_dataclass

Decorator = Callable[..., Any]


@lazy_dataclass.dataclass(frozen=True, slots=True)
class Point:
    """A class that pickle finds."""

    x: int
    tags: list[str] = dataclasses.field(default_factory=list)


def classes(decorate: Decorator) -> Any:
    """A class with every kind of field."""

    @decorate(frozen=True, slots=True)
    class Made:
        first: int
        second: str = "two"
        third: list[int] = dataclasses.field(default_factory=list)
        hidden: int = dataclasses.field(default=4, repr=False)
        aside: int = dataclasses.field(default=5, compare=False)
        fixed: int = dataclasses.field(default=6, init=False)
        fresh: dict[str, int] = dataclasses.field(default_factory=dict, init=False)
        last: bool = dataclasses.field(default=True, kw_only=True)

    return Made


BOTH = [classes(dataclasses.dataclass), classes(lazy_dataclass.dataclass)]


@pytest.mark.parametrize(
    ("arguments", "values"),
    [
        ((1,), {}),
        ((1, "x", [3]), {"last": False}),
        ((), {"first": 9, "hidden": 0}),
        ((), {}),
        ((1, "x", [], 4, 5, 6), {}),
        ((1,), {"fixed": 2}),
        ((1,), {"unknown": 2}),
    ],
)
def test_it_is_made_and_shown_as_the_library_does(
    arguments: tuple[Any, ...], values: dict[str, Any]
) -> None:
    found = []
    for made in BOTH:
        for _again in range(2):  # the first call compiles
            try:
                one = made(*arguments, **values)
            except TypeError as error:
                found.append(str(error))
            else:
                found.append(f"{one!r} {dataclasses.asdict(one)}")
    assert len(set(found)) == 1


def test_it_is_compared_and_hashed_by_its_fields() -> None:
    for made in BOTH:
        one, same, other = made(1), made(1, aside=7), made(2)
        assert one == same
        assert one != other
        assert one != 1
        assert (one == object()) is False
        with pytest.raises(TypeError, match="unhashable"):
            hash(one)  # for its list
    assert hash(Key("a")) == hash(Key("a"))
    assert {Key("a"), Key("a"), Key("b")} == {Key("b"), Key("a")}
    assert BOTH[0](1) != BOTH[1](1)


@lazy_dataclass.dataclass(frozen=True)
class Key:
    name: str


def test_it_cannot_be_changed() -> None:
    point = Point(1)
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'x'"):
        point.x = 2  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot delete field 'x'"):
        del point.x
    with pytest.raises(dataclasses.FrozenInstanceError):
        point.other = 2  # type: ignore[attr-defined]
    assert point == Point(1)


def test_it_is_copied_and_pickled() -> None:
    point = Point(1, ["a"])
    for again in (copy.copy(point), copy.deepcopy(point), pickle.loads(pickle.dumps(point))):
        assert again == point
        assert again is not point
    changed = dataclasses.replace(point, x=3)
    assert (changed.x, changed.tags, point.x) == (3, ["a"], 1)
    assert [field.name for field in dataclasses.fields(Point)] == ["x", "tags"]


def test_own_methods_are_kept() -> None:
    @lazy_dataclass.dataclass(frozen=True, slots=True)
    class Own:
        name: str

        def __repr__(self) -> str:
            return "own"

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Own)

        def __hash__(self) -> int:
            return 7

        def __post_init__(self) -> None:
            if not self.name:
                raise ValueError("no name")

    assert repr(Own("a")) == "own"
    assert Own("a") == Own("b")
    assert hash(Own("a")) == 7
    with pytest.raises(ValueError, match="no name"):
        Own("")


def test_what_contains_itself_is_shown() -> None:
    tags: list[Any] = []
    point = Point(1, tags)
    tags.append(point)
    assert repr(point) == "Point(x=1, tags=[...])"


@pytest.mark.parametrize("decorate", [dataclasses.dataclass, lazy_dataclass.dataclass])
def test_another_dataclass_can_derive_from_it(decorate: Decorator) -> None:
    @decorate(frozen=True, slots=True)
    class Space(Point):
        z: int = 0

    space = Space(1, ["a"], 3)
    assert (space.x, space.z) == (1, 3)
    assert space == Space(1, ["a"], 3)
    assert space != Point(1, ["a"])
    with pytest.raises(dataclasses.FrozenInstanceError):
        space.z = 4


def test_other_kinds_are_those_of_the_library() -> None:
    @lazy_dataclass.dataclass
    class Plain:
        x: int = 1

    plain = Plain()
    plain.x = 2
    assert plain == Plain(2)

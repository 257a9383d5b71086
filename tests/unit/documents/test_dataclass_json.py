"""Dataclasses as JSON and back."""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.documents.dataclass_json import (
    InvalidDocument,
    JsonValue,
    from_json,
    keyed,
    optional,
    to_json,
)


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True)
class Leaf:
    name: str
    share: float
    drop: float | None = None


@dataclass(frozen=True, slots=True)
class Tree:
    leaves: tuple[Leaf, ...]
    colour: Colour = Colour.RED
    mode: Literal["fast", "exact"] = "fast"
    place: Path | None = None
    facts: Mapping[str, JsonValue] = field(default_factory=dict)
    pair: tuple[int, str] = (0, "")
    kind: str = keyed("class", default="")
    note: str | None = optional()
    child: Tree | None = None


FULL = {
    "leaves": [{"name": "a", "share": 1, "drop": None}, {"name": "b", "share": 0.5, "drop": 2.0}],
    "colour": "blue",
    "mode": "exact",
    "place": "/some/where",
    "facts": {"x": [1, {"y": None}]},
    "pair": [3, "three"],
    "class": "oak",
    "note": "old",
    "child": None,
}


def test_a_document_is_read_and_written_again_byte_for_byte() -> None:
    tree = from_json(Tree, FULL)
    assert tree.leaves[1].drop == 2.0
    assert (tree.colour, tree.place, tree.kind) == (Colour.BLUE, Path("/some/where"), "oak")
    assert json.dumps(to_json(tree)) == json.dumps(FULL)


def test_missing_keys_take_their_defaults_and_unknown_ones_are_passed_over() -> None:
    tree = from_json(Tree, {"leaves": [], "of a later version": 1})
    assert tree == Tree(())
    assert "note" not in to_json(tree)


def test_a_dataclass_may_hold_others_of_its_kind() -> None:
    tree = Tree((), child=Tree((Leaf("x", 1.0),)))
    assert from_json(Tree, to_json(tree)) == tree


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"leaves": None}, "leaves: expected a list, not None."),
        ({"leaves": [{"name": 1, "share": 1}]}, "leaves[0].name: expected a text, not 1."),
        ({"leaves": [{"name": "a"}]}, "leaves[0]: the key 'share' is missing."),
        (
            {"leaves": [{"name": "a", "share": True}]},
            "leaves[0].share: expected a number, not True.",
        ),
        ({"colour": "green"}, "colour: expected a Colour, not 'green'."),
        ({"colour": ["red"]}, "colour: expected a Colour, not ['red']."),
        ({"mode": "slow"}, "mode: expected 'fast' or 'exact', not 'slow'."),
        ({"place": 7}, "place: expected a text, not 7."),
        ({"facts": []}, "facts: expected an object, not []."),
        ({"pair": [1]}, "pair: expected a list of 2, not [1]."),
        ({"class": None}, "class: expected a text, not None."),
        ({"child": "x" * 99}, "child: expected an object, not '" + "x" * 56 + "...."),
    ],
)
def test_what_does_not_fit_is_named_with_its_place(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        from_json(Tree, {**FULL, **change})
    assert str(caught.value) == sentence


def test_a_document_nested_without_end_is_refused() -> None:
    document: dict[str, Any] = {"leaves": []}
    for _ in range(10_000):
        document = {"leaves": [], "child": document}
    with pytest.raises(InvalidDocument, match="nested too deeply"):
        from_json(Tree, document)


def test_no_object_at_all() -> None:
    with pytest.raises(InvalidDocument, match=r"The document: expected an object, not 3\."):
        from_json(Tree, 3)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@pytest.mark.slow
@given(st.dictionaries(st.sampled_from(sorted(FULL)), _VALUES))
def test_a_hostile_document_is_read_or_refused(document: dict[str, Any]) -> None:
    try:
        tree = from_json(Tree, document)
    except InvalidDocument:
        return
    assert from_json(Tree, to_json(tree)) == tree


@dataclass(frozen=True, slots=True)
class Numbers:
    whole: int = 0
    share: float = 0.0


@pytest.mark.parametrize("key", ["whole", "share"])
def test_a_number_that_no_float_can_hold_is_refused(key: str) -> None:
    assert to_json(from_json(Numbers, {key: 2**64}))[key] == 2**64
    with pytest.raises(InvalidDocument, match=f"{key}: a number is too large"):
        from_json(Numbers, {key: 10**400})

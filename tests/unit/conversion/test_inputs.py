"""What a user wants of inputs: shapes, types and open axes."""

from __future__ import annotations

import pytest

from studio.api import InputSpec, UsageError
from studio.conversion.inputs import ONLY, input_specs


@pytest.mark.parametrize(
    ("text", "name", "spec"),
    [
        ("x=1,3,224,224", "x", InputSpec((1, 3, 224, 224))),
        ("ids=1,128:int64", "ids", InputSpec((1, 128), "int64")),
        ("1,3,8,8", ONLY, InputSpec((1, 3, 8, 8))),
        ("1,128:int32", ONLY, InputSpec((1, 128), "int32")),
        ("a=b=1,2", "a=b", InputSpec((1, 2))),
    ],
)
def test_shapes(text: str, name: str, spec: InputSpec) -> None:
    assert input_specs([text], []) == {name: spec}


@pytest.mark.parametrize(
    ("text", "axes"),
    [
        ("x=batch", {0: "batch"}),
        ("x=batch,_,height,width", {0: "batch", 2: "height", 3: "width"}),
        ("x=1,3,h,w", {2: "h", 3: "w"}),
    ],
)
def test_dynamic_axes(text: str, axes: dict[int, str]) -> None:
    assert input_specs([], [text]) == {"x": InputSpec(dynamic=axes)}


def test_a_shape_without_a_name_is_of_the_input_whose_axes_are_named() -> None:
    assert input_specs(["1,3:int8"], ["x=batch"]) == {"x": InputSpec((1, 3), "int8", {0: "batch"})}
    apart = input_specs(["1,3", "x=2,3"], ["x=batch"])
    assert set(apart) == {ONLY, "x"}


def test_a_shape_and_its_open_axes() -> None:
    specs = input_specs(["x=2,3:int8", "y=1"], ["x=batch", "z=n"])
    assert specs == {
        "x": InputSpec((2, 3), "int8", {0: "batch"}),
        "y": InputSpec((1,)),
        "z": InputSpec(dynamic={0: "n"}),
    }


@pytest.mark.parametrize(
    ("inputs", "dynamic", "words"),
    [
        (["x=0,1"], [], "is not a shape"),
        (["x=1,a"], [], "is not a shape"),
        (["x=1,2:floaty"], [], "'floaty' is not a type"),
        (["=1,2"], [], "is not a shape"),
        ([], ["batch"], "names no dynamic axes"),
        ([], ["x=1,2"], "names no dynamic axes"),
        ([], ["x=a b"], "names no dynamic axes"),
        ([], ["x=" + ",".join("abcdefghijklmnopq")], "names no dynamic axes"),
    ],
)
def test_what_is_of_another_form(inputs: list[str], dynamic: list[str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        input_specs(inputs, dynamic)

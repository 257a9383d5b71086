"""The diff of two graphs: what it must find whatever tools did to names and nodes."""

from __future__ import annotations

from collections.abc import Sequence

from studio.api import AttributeValue, Graph, Initializer, Node, TensorType, Value
from studio.models.diff import Diff, compare

FLOAT = TensorType("float32", (1, 8))


def node(
    operator: str,
    inputs: str,
    output: str,
    name: str = "",
    domain: str = "",
    **attributes: AttributeValue,
) -> Node:
    return Node(
        name or f"{operator}:{output}",
        operator,
        tuple(inputs.split()),
        (output,),
        domain,
        attributes,
    )


def graph(nodes: Sequence[Node], constants: Sequence[Initializer] = (), output: str = "y") -> Graph:
    return Graph(
        "test",
        (Value("x", FLOAT),),
        (Value(output, FLOAT),),
        tuple(nodes),
        {one.name: one for one in constants},
    )


def weight(name: str, *shape: int, dtype: str = "float32") -> Initializer:
    return Initializer(name, TensorType(dtype, shape), 0)


def kinds(diff: Diff) -> list[str]:
    return [pair.kind for pair in diff.pairs]


CONSTANTS = (weight("w1", 8, 8), weight("w2", 8, 8), weight("b1", 8))
NETWORK = [
    node("Conv", "x w1", "c1"),
    node("BatchNormalization", "c1 b1", "n1"),
    node("HardSwish", "n1", "h1"),
    node("Conv", "h1 w2", "c2"),
    node("Add", "c2 h1", "s"),
    node("Softmax", "s", "y"),
]


def test_a_graph_is_the_same_as_itself() -> None:
    diff = compare(graph(NETWORK, CONSTANTS), graph(NETWORK, CONSTANTS))
    assert kinds(diff) == ["same"] * 6
    assert (diff.matched, diff.changed, diff.inserted, diff.removed) == (6, 0, (), ())


def test_names_do_not_matter() -> None:
    names = {"c1": "q", "n1": "w", "h1": "e", "c2": "r", "s": "t", "y": "z", "x": "x"}
    constants = {"w1": "a", "w2": "b", "b1": "c"}
    renamed = [
        node(
            one.operator,
            " ".join({**names, **constants}[value] for value in one.inputs),
            names[one.outputs[0]],
        )
        for one in NETWORK
    ]
    other = graph(renamed, (weight("a", 8, 8), weight("b", 8, 8), weight("c", 8)), "z")
    diff = compare(graph(NETWORK, CONSTANTS), other)
    assert (diff.matched, diff.changed) == (6, 0)
    assert diff.pairs[3].b == ("Conv:r",)


def test_names_that_shifted_are_not_believed() -> None:
    """Exporters number their values: one more node in front, and each name means the next thing."""
    before = [
        node("Conv", "x w1", "1"),
        node("Relu", "1", "2"),
        node("Conv", "2 w2", "3"),
        node("Sigmoid", "3", "y"),
    ]
    after = [
        node("Sub", "x b1", "1"),
        node("Conv", "1 w1", "2"),
        node("Relu", "2", "3"),
        node("Conv", "3 w2", "4"),
        node("Sigmoid", "4", "y"),
    ]
    diff = compare(graph(before, CONSTANTS), graph(after, CONSTANTS))
    pairs = {pair.a: pair.b for pair in diff.pairs if pair.a}
    assert pairs[("Conv:1",)] == ("Conv:2",)
    assert pairs[("Relu:2",)] == ("Relu:3",)
    assert pairs[("Conv:3",)] == ("Conv:4",)
    assert diff.matched == 4


def test_quantizers_are_explained() -> None:
    constants = (weight("q1", 8, 8, dtype="int8"), weight("scale", 1), *CONSTANTS)
    quantized = [
        node("QuantizeLinear", "x scale", "xq"),
        node("DequantizeLinear", "xq scale", "xd"),
        node("DequantizeLinear", "q1 scale", "w1d"),
        node("Conv", "xd w1d", "c1"),
        *NETWORK[1:],
    ]
    diff = compare(graph(NETWORK, CONSTANTS), graph(quantized, constants))
    assert diff.matched == 6
    assert {one.name: one.text for one in diff.inserted} == {
        "QuantizeLinear:xq": "stores x as another type for DequantizeLinear:xd",
        "DequantizeLinear:xd": "gives x back as another type for Conv:c1",
        "DequantizeLinear:w1d": "its constant is stored as int8 for Conv:c1",
    }
    (changed,) = [pair for pair in diff.pairs if pair.kind == "changed"]
    assert [(one.what, one.before, one.after) for one in changed.changes] == [
        ("constant", "float32", "int8")
    ]


def test_integer_operators_stand_for_their_float_ones() -> None:
    constants = (weight("q1", 8, 8, dtype="int8"), *CONSTANTS)
    quantized = [
        node("QuantizeLinear", "x b1", "xq"),
        node("QLinearConv", "xq b1 q1", "cq"),
        node("DequantizeLinear", "cq b1", "c1"),
        *NETWORK[1:],
    ]
    diff = compare(graph(NETWORK, CONSTANTS), graph(quantized, constants))
    assert diff.matched == 6
    first = diff.pairs[0]
    assert (first.a, first.b) == (("Conv:c1",), ("QLinearConv:cq",))


def test_what_was_fused() -> None:
    fused = [node("Conv", "x w1 b1", "n1"), *NETWORK[2:]]
    diff = compare(graph(NETWORK, CONSTANTS), graph(fused, CONSTANTS))
    assert diff.matched == 6
    (pair,) = [pair for pair in diff.pairs if pair.kind == "fused"]
    assert pair.text == "BatchNormalization was fused into Conv"
    assert pair.b == ("Conv:n1",)


def test_what_was_split() -> None:
    split = [
        *NETWORK[:2],
        node("HardSigmoid", "n1", "g"),
        node("Mul", "n1 g", "h1"),
        *NETWORK[3:],
    ]
    diff = compare(graph(NETWORK, CONSTANTS), graph(split, CONSTANTS))
    (pair,) = [pair for pair in diff.pairs if pair.kind == "split"]
    assert pair.text == "HardSwish became HardSigmoid + Mul"
    assert (pair.a, pair.b) == (("HardSwish:h1",), ("HardSigmoid:g", "Mul:h1"))
    assert not diff.inserted


def test_a_scale_that_was_folded_into_what_follows() -> None:
    """HardSwish, scaled by a constant, became a product of two values with the scale gone."""
    before = [
        node("Conv", "x w1", "c1"),
        node("HardSwish", "c1", "h"),
        node("Mul", "h b1", "m"),
        node("Conv", "m w2", "y"),
    ]
    after = [
        node("Conv", "x w1", "c1"),
        node("HardSigmoid", "c1", "g"),
        node("Mul", "c1 g", "m"),
        node("Conv", "m w2", "y"),
    ]
    diff = compare(graph(before, CONSTANTS), graph(after, CONSTANTS))
    assert (diff.matched, diff.inserted, diff.removed) == (4, (), ())
    (pair,) = [pair for pair in diff.pairs if pair.kind == "replaced"]
    assert pair.text == "HardSwish + Mul became HardSigmoid + Mul"


def test_what_was_put_in_between() -> None:
    moved = [node("Conv", "h1 w2", "t"), node("Transpose", "t", "c2")]
    after = [*NETWORK[:3], *moved, *NETWORK[4:]]
    diff = compare(graph(NETWORK, CONSTANTS), graph(after, CONSTANTS))
    (pair,) = [pair for pair in diff.pairs if pair.kind == "added"]
    assert (pair.a, pair.b, pair.text) == ((), ("Transpose:c2",), "Transpose was put in")
    assert diff.matched == 6


def test_what_became_a_constant() -> None:
    before = [
        node("Shape", "x", "size"),
        node("Gather", "size i", "first"),
        node("Reshape", "x first", "r"),
        node("Softmax", "r", "y"),
    ]
    after = [node("Reshape", "x k", "r"), node("Softmax", "r", "y")]
    constants = (weight("i", 1), weight("k", 2))
    diff = compare(graph(before, constants), graph(after, constants))
    assert {one.operator: one.text for one in diff.removed} == {
        "Shape": "its result became a constant",
        "Gather": "its result became a constant",
    }
    assert (diff.compute, diff.matched) == (4, 2)


def test_parallel_branches_are_told_apart_by_their_weights() -> None:
    constants = (weight("small", 4, 8), weight("large", 16, 8))
    before = [
        node("MatMul", "x small", "one"),
        node("MatMul", "x large", "two"),
        node("Concat", "one two", "y"),
    ]
    after = [
        node("MatMul", "x large", "p"),
        node("MatMul", "x small", "q"),
        node("Concat", "q p", "z"),
    ]
    diff = compare(graph(before, constants), graph(after, constants, "z"))
    pairs = {pair.a: pair.b for pair in diff.pairs}
    assert pairs[("MatMul:one",)] == ("MatMul:q",)
    assert pairs[("MatMul:two",)] == ("MatMul:p",)


def test_attributes_are_compared_but_for_written_defaults() -> None:
    before = [node("Conv", "x w1", "y", name="conv", strides=(1, 1))]
    after = [node("Conv", "x w1", "y", name="conv", group=1, strides=(2, 2), auto_pad="NOTSET")]
    (pair,) = compare(graph(before, CONSTANTS), graph(after, CONSTANTS)).pairs
    assert [(one.what, one.before, one.after) for one in pair.changes] == [
        ("strides", "1, 1", "2, 2")
    ]


def test_blocks_are_compared_too() -> None:
    def branch(operator: str) -> Graph:
        return Graph("then", (), (Value("y", FLOAT),), (node(operator, "x", "y", name="inner"),))

    def choice(operator: str) -> Graph:
        one = node("If", "x", "y", name="choice")
        blocks = {"then_branch": branch(operator)}
        return graph([Node(one.name, one.operator, one.inputs, one.outputs, "", {}, blocks)])

    diff = compare(choice("Relu"), choice("Sigmoid"))
    (pair,) = [pair for pair in diff.pairs if pair.kind == "replaced"]
    assert pair.a == ("choice/then_branch/inner",)
    assert pair.text == "Relu became Sigmoid"


def test_nothing_in_common() -> None:
    before = graph([node("Relu", "x", "y")])
    after = Graph("other", (Value("a", FLOAT), Value("b", FLOAT)), (), (node("Add", "a b", "c"),))
    diff = compare(before, after)
    assert [one.operator for one in diff.inserted] == ["Add"]
    assert diff.matched == 0
    assert compare(graph([]), graph([])).pairs == ()

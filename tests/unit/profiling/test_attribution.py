"""Kernels led back to nodes by the values that they make."""

from studio.api import Graph, Node
from studio.profiling.attribution import attribute
from studio.profiling.operator_times import UnknownKernel
from studio.runtime.bench.facts import Kernel


def node(name, operator, inputs, outputs, **more):
    return Node(name, operator, tuple(inputs), tuple(outputs), **more)


def kernel(name, operator, us, inputs=(), outputs=(), provider="cpu"):
    values = {"inputs": tuple(inputs), "outputs": tuple(outputs)} if outputs else {}
    return Kernel(name, operator, us=us, provider=provider, **values)


CHAIN = Graph(
    "g",
    (),
    (),
    (
        node("dq", "DequantizeLinear", ["q0"], ["x"]),
        node("conv", "Conv", ["x", "w"], ["c"]),
        node("relu", "Relu", ["c"], ["r"]),
        node("q", "QuantizeLinear", ["r"], ["q1"]),
        node("mul", "Mul", ["q1", "q1"], ["y"]),
    ),
)


def test_a_fused_kernel_is_its_heaviest_nodes():
    found = attribute(
        [
            kernel("nobody knows this name", "QLinearConv", 8, ["q0", "w"], ["q1"]),
            kernel("mul", "Mul", 2, ["q1", "q1"], ["y"]),
        ],
        CHAIN,
    ).result("run")
    conv, mul = found.nodes
    assert (conv.name, conv.us, sorted(conv.fused)) == ("conv", 8, ["dq", "q", "relu"])
    assert (mul.name, mul.fused) == ("mul", ())
    assert found.attributed == 1.0


def test_a_name_that_lies_does_not_win_over_the_values():
    # The kernel of a Conv with a fused Relu is called after the Relu's value.
    found = attribute([kernel("r_nchwc", "Conv", 3, ["x", "w"], ["r"])], CHAIN)
    assert found.nodes == {"conv": 3.0}


def test_what_the_runtime_adds_goes_to_the_node_that_it_is_for():
    found = attribute(
        [
            kernel("in", "ReorderInput", 1, ["x"], ["token0"]),
            kernel("r_nchwc", "Conv", 5, ["token0", "w"], ["token1"]),
            kernel("out", "ReorderOutput", 2, ["token1"], ["r"]),
            kernel("cast", "Cast", 1, ["r"], ["token2"]),
            kernel("mul", "Mul", 1, ["token2", "token2"], ["y"]),
        ],
        CHAIN,
    ).result("run")
    rows = {row.name: row for row in found.nodes}
    assert (rows["conv"].us, rows["conv"].layout_us) == (8, 3)
    assert rows["mul"].us == 2
    assert found.layout == 0.3
    assert found.added == 0.1
    assert found.attributed == 1.0


def test_what_leads_nowhere_is_said():
    found = attribute([kernel("m", "Magic", 1, ["t0"], ["t1"])], CHAIN).result("run")
    assert found.attributed == 0.0
    assert found.unknown == (UnknownKernel("m", 1.0),)


BRANCH = Graph("then", (), (), (node("inner", "MatMul", ["a", "b"], ["m"]),))


def test_nodes_of_blocks_have_their_place():
    graph = Graph("g", (), (), (node("if", "If", ["c"], ["o"], blocks={"then_branch": BRANCH}),))
    found = attribute(
        [kernel("if", "If", 1, ["c"], ["o"]), kernel("inner", "MatMul", 4, ["a", "b"], ["m"])],
        graph,
    )
    assert found.nodes == {"if": 5.0}, "a node holds what its blocks took"
    rows = {row.name: row for row in found.result("run").nodes}
    assert rows["inner"].within == ("if",)
    assert rows["if"].us == 1


def test_each_call_of_a_function_has_its_own_times():
    body = Graph("Block", (), (), (node("mm", "MatMul", ["x", "w"], ["m"]),))
    graph = Graph(
        "g",
        (),
        (),
        tuple(
            node(name, "Block", [], [out], domain="my") for name, out in (("a", "1"), ("b", "2"))
        ),
    )
    kernels = [
        kernel("_inlfunc_Block_token_7_mm", "MatMul", 2),
        kernel("_inlfunc_Block_mm", "MatMul", 1),
    ]
    assert attribute(kernels, graph, {"my:Block": body}).nodes == {"a": 1.0, "b": 2.0}


def test_a_node_starts_with_its_first_kernel():
    kernels = [
        Kernel("out", "ReorderOutput", us=2, inputs=("t",), outputs=("r",), start_us=9.0),
        Kernel("r_nchwc", "Conv", us=5, inputs=("x", "w"), outputs=("t",), start_us=4.0),
        Kernel("mul", "Mul", us=1, inputs=("q1", "q1"), outputs=("y",)),
    ]
    starts = {each.name: each.start_us for each in attribute(kernels, CHAIN).result("run").nodes}
    assert starts == {"conv": 4.0, "mul": None}

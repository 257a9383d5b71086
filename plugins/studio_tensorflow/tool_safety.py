"""The checks of a TensorFlow model, so that nothing of it but arithmetic is ever run.

A graph can call Python, read and write files, and reach the network, by operators of TensorFlow's
own. They are found before TensorFlow sees the file. Used by ``tool.py``: the standard library and
``tool_protobuf.py`` alone.
"""

from __future__ import annotations

import contextlib
import importlib
import mmap
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

_wire: Any = importlib.import_module("tool_protobuf")

_FORBIDDEN = re.compile(
    r"(Eager)?PyFunc(Stateless)?|.*(File|Reader|Dataset|Iterator|TFRecord|Summary|Summaries)\w*"
    r"|.*(Rpc|Snapshot|Checkpoint|Tpu|TPU|TRT|Sql|LMDB|CSV|Stats|Collective|Debug|Dump|Saver)\w*"
    r"|(DTensor|Distributed)?(Save|Restore)(Slices?|V2)?|Print(V2)?|Abort|ImmutableConst"
    r"|(_?Host)?_?(Send|Recv)\w*|Remote\w*|RecordInput|Skipgram|FixedUnigramCandidateSampler"
    r"|GenerateVocabRemapping|LoadAndRemapMatrix|Xla(Launch|CallModule|CustomCall|HostCompute)\w*|_Xla\w*"
    r"|Write\w*|ImportEvent|Cudnn\w*|Nccl\w*|RegisterDataset\w*|GetElement\w*|BatchFunction"
)
"""Operators that run Python, use files or a network, or end the process."""

_SAVERS = frozenset(
    {"SaveV2", "RestoreV2", "MergeV2Checkpoints", "ShardedFilename", "ShardedFilespec"}
)
"""How a SavedModel stores its variables: operators of functions that nothing else calls."""

_VARIABLES = frozenset({"Variable", "VariableV2", "VarHandleOp", "HashTable", "HashTableV2"})

_CUSTOM = "Flex"
"""Prefix of TensorFlow's operators in a TFLite file."""

_MOST_NODES = 500_000
_MOST_LEVELS = 20
_MOST_BYTES = 2**31 - 1
"""Of a message of protobuf."""

_MOST_FILES = 10_000
_BYTES = {2: 8, 5: 2, 4: 1, 6: 1, 9: 8, 8: 8, 10: 1, 14: 2, 17: 2, 18: 16, 19: 2, 22: 4, 23: 8}
"""Bytes of a value by the number of its type, where it is not 4."""


@dataclass
class _Function:
    """The operators and the functions that a function, or the graph itself, names."""

    operators: dict[str, str] = field(default_factory=dict)
    calls: set[str] = field(default_factory=set)


@dataclass
class _Scan:
    """Counts over a whole file."""

    nodes: int = 0
    constants: int = 0


def check_folder(path: str) -> None:
    """Check a SavedModel before it is loaded.

    Raises:
        ValueError: with its fault.
    """
    root = os.path.realpath(path)
    count = 0
    for folder, names, files in os.walk(path):
        for name in (*names, *files):
            count += 1
            place = os.path.join(folder, name)
            if os.path.islink(place) and not os.path.realpath(place).startswith(root + os.sep):
                raise ValueError(f"it has a link that leads out of its folder, {name[:80]!r}")
        if count > _MOST_FILES:
            raise ValueError(f"it has more than {_MOST_FILES:,} files")
    if os.path.exists(os.path.join(path, "saved_model.cpb")):
        raise ValueError("its graph is split over several messages, which is not read here")
    with mapped(os.path.join(path, "saved_model.pb")) as content:
        _check_saved_model(content)


@contextlib.contextmanager
def mapped(path: str) -> Iterator[memoryview]:
    """Yield the bytes of a file, which are read as they are needed."""
    size = os.path.getsize(path)
    if not 0 < size <= _MOST_BYTES:
        raise ValueError("it is empty" if not size else "its graph is larger than 2 GB")
    with open(path, "rb") as file:
        # Never closed here: a traceback may still hold views of it.
        yield memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def check_graph(content: memoryview) -> None:
    """Check a graph that is run as it is.

    Raises:
        ValueError: with its fault.
    """
    _checked(content)


def _checked(content: memoryview) -> _Function:
    graph, functions = _graph(content, _Scan())
    for one in (graph, *functions.values()):
        _check_operators(one)
    return graph


def check_frozen(content: memoryview) -> None:
    """Check the graph of a file of its own, which holds its weights as constants.

    Raises:
        ValueError: with its fault.
    """
    graph = _checked(content)
    if not graph.operators:
        raise ValueError("it is damaged, or not a graph of TensorFlow")
    if found := sorted(_VARIABLES & set(graph.operators)):
        name = graph.operators[found[0]]
        raise ValueError(f"the values of its variable {name!r} are not in the file; freeze it")


def check_custom(name: str) -> None:
    """Check the name of a custom operator of TFLite.

    Raises:
        ValueError: for one of TensorFlow's that is not run here.
    """
    if name.startswith(_CUSTOM) and is_forbidden(name.removeprefix(_CUSTOM)):
        raise ValueError(_sentence(name, ""))


def is_forbidden(operator: str) -> bool:
    """Whether an operator does more than arithmetic."""
    return bool(_FORBIDDEN.fullmatch(operator)) or operator in _SAVERS


def _check_saved_model(content: memoryview) -> None:
    scan = _Scan()
    found = False
    for meta in _wire.parts(content, 2):
        loaded = {
            _wire.text(entry, 1)
            for objects in _wire.parts(meta, 7)
            for entry in _wire.parts(objects, 2)
        }
        for one in _wire.parts(meta, 2):
            found = True
            _check_parts(*_graph(one, scan), loaded)
    if not found:
        raise ValueError("it is damaged, or has no graph")


def _check_parts(graph: _Function, functions: dict[str, _Function], loaded: set[str]) -> None:
    """Check that savers are functions by themselves, and all others compute."""
    called = set(loaded).union(*(one.calls for one in functions.values()))
    _check_operators(graph, _SAVERS)
    for name, one in functions.items():
        _check_operators(one, frozenset() if name in called else _SAVERS)


def _check_operators(one: _Function, allowed: frozenset[str] = frozenset()) -> None:
    for operator, node in one.operators.items():
        if operator not in allowed and is_forbidden(operator):
            raise ValueError(_sentence(operator, node))


def _sentence(operator: str, node: str) -> str:
    place = f" (node {node[:80]!r})" if node else ""
    return (
        f"its operator {operator[:80]}{place} runs code or reaches files or a network, "
        "which is not run here"
    )


def _graph(content: memoryview, scan: _Scan) -> tuple[_Function, dict[str, _Function]]:
    graph = _Function()
    functions: dict[str, _Function] = {}
    for number, value in _wire.fields(content):
        if isinstance(value, int):
            continue
        if number == 1:
            _node(value, graph, scan)
        elif number == 2:
            for one in _wire.parts(value, 1):
                _function(one, functions, scan)
    return graph, _with_calls(functions)


def _with_calls(functions: dict[str, _Function]) -> dict[str, _Function]:
    """Add the functions that are called by their names as operators."""
    for one in functions.values():
        one.calls |= functions.keys() & one.operators.keys()
    return functions


def _function(content: memoryview, functions: dict[str, _Function], scan: _Scan) -> None:
    names = [_wire.text(one, 1) for one in _wire.parts(content, 1)]
    found = functions.setdefault(names[-1] if names else "", _Function())
    for node in _wire.parts(content, 3):
        _node(node, found, scan)


def _node(content: memoryview, found: _Function, scan: _Scan) -> None:
    scan.nodes += 1
    if scan.nodes > _MOST_NODES:
        raise ValueError(f"it has more than {_MOST_NODES:,} nodes")
    name = _wire.text(content, 1)
    for operator in _wire.parts(content, 2):
        found.operators.setdefault(bytes(operator).decode(errors="replace"), name)
    for entry in _wire.parts(content, 5):
        for value in _wire.parts(entry, 2):
            _attribute(value, found, scan, 0)


def _attribute(content: memoryview, found: _Function, scan: _Scan, level: int) -> None:
    if level > _MOST_LEVELS:
        raise ValueError("its attributes are nested too deep")
    for number, value in _wire.fields(content):
        if isinstance(value, int):
            continue
        if number == 1:
            for one in _wire.parts(value, 9):
                _called(one, found, scan, level)
            for one in _wire.parts(value, 8):
                _constant(one, scan)
        elif number == 8:
            _constant(value, scan)
        elif number == 10:
            _called(value, found, scan, level)


def _called(content: memoryview, found: _Function, scan: _Scan, level: int) -> None:
    """Note a function that an attribute names, and look at its own attributes."""
    found.calls.update(bytes(one).decode(errors="replace") for one in _wire.parts(content, 1))
    for entry in _wire.parts(content, 2):
        for value in _wire.parts(entry, 2):
            _attribute(value, found, scan, level + 1)


def _constant(content: memoryview, scan: _Scan) -> None:
    """Count the bytes of a constant, which may be one value for billions."""
    size = 4
    numbers = 1
    for number, value in _wire.fields(content):
        if number == 1 and isinstance(value, int):
            size = _BYTES.get(value, 4)
        elif number == 2 and not isinstance(value, int):
            for dimension in _wire.parts(value, 2):
                numbers *= _size(dimension)
    scan.constants += size * numbers
    if scan.constants > _MOST_BYTES:
        raise ValueError("its constants take more than 2 GB")


def _size(content: memoryview) -> int:
    found = 0
    for number, value in _wire.fields(content):
        if number == 1 and isinstance(value, int):
            found = value
    return found

"""What a file must not hold, so that loading it runs nothing but tensor operations.

The loaders of PyTorch and Keras fall back to pickles, evaluate expressions, look operators up by
their path, and print names into Python code. Used by ``tool.py``: nothing of the studio.
"""

from __future__ import annotations

import contextlib
import json
import re
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping

_COMPILED = "data/aotinductor/"
_LEGACY = "serialized_exported_program.json"
_PICKLED_CONSTANT = re.compile(r"(custom|opaque)_obj_")

_OPERATOR = re.compile(
    r"torch\.ops\.(?!load_library|import_module|loaded_libraries)[A-Za-z]\w*\.\w+(\.\w+)?"
    r"|torch\._?sym_\w+"
    r"|math\.[a-z]\w*"
    r"|_operator\.(abs|add|and_|eq|floordiv|ge|getitem|gt|index|invert|le|lshift|lt|mod|mul|ne|neg"
    r"|not_|or_|pos|pow|rshift|sub|truediv|xor)"
)
"""Targets of nodes. The others can be any function that a module of PyTorch has imported."""

_EXPRESSION = re.compile(
    r"(?:[-+*/%(),<>=&|~!\s]|\d+(?:\.\d*)?(?:e[-+]?\d+)?(?!\w)|'[\w.+-]*'"
    r"|[A-Z]\w*+|[a-z]++(?==)|[suz]f?\d++|(?:true|false|oo|int_oo)(?!\w))*+"
)
"""An arithmetic expression of sizes: functions have capitals, and strings no signs."""

_NAME = re.compile(r"[\w.]*")
_PLACE = re.compile(r"[\w.:/ -]*")

_loading: list[bool] = []


@contextlib.contextmanager
def no_pickles() -> Iterator[None]:
    """Refuse every class and function that a pickle names while a file is loaded."""
    if not _loading:
        sys.addaudithook(_refuse_pickle)
        _loading.append(False)
    _loading[0] = True
    try:
        yield
    finally:
        _loading[0] = False


def _refuse_pickle(event: str, arguments: object) -> None:
    if event == "pickle.find_class" and _loading[0]:
        # No RuntimeError: the loader of exports passes over those.
        raise ValueError("it holds a pickle, which could run any code and is not read here")


def check_export(path: str, members: Iterable[tuple[str, bytes]]) -> None:
    """Check an exported program before it is loaded.

    Args:
        members: Names, and the contents of JSON, as PyTorch's own reader finds them: another
            reader may see another archive.

    Raises:
        ValueError: with the fault of the file.
    """
    for name, content in members:
        if name.startswith(_COMPILED):
            raise ValueError("it holds compiled code, which is not run here")
        if content:
            _check(json.loads(content))
    with zipfile.ZipFile(path) as archive:  # how exports of older versions are read
        if _LEGACY in archive.namelist():
            _check(json.loads(archive.read(_LEGACY)))


def _check(value: object, key: str = "") -> None:
    if isinstance(value, Mapping):
        for name, one in value.items():
            _check(one, str(name))
    elif isinstance(value, list):
        for one in value:
            _check(one, key)
    elif value is True and key == "use_pickle":
        raise ValueError("it holds pickled weights, which could run any code and are not read here")
    elif isinstance(value, str):
        _check_text(key, value)


def _check_text(key: str, text: str) -> None:
    if key == "path_name" and _PICKLED_CONSTANT.match(text):
        raise ValueError("it holds pickled objects, which could run any code and are not read here")
    if key in ("target", "as_operator") and not _OPERATOR.fullmatch(text):
        raise ValueError(f"it calls {text[:80]!r}, which is no operator of PyTorch")
    if key == "expr_str" and not _EXPRESSION.fullmatch(text):
        raise ValueError(f"it has a size {text[:80]!r}, which is no expression of sizes")
    if key in ("name", "forward_arg_names") and not _NAME.fullmatch(text):
        raise ValueError(f"it has the name {text[:80]!r}, which is no identifier")
    if key.endswith("_name") and not _PLACE.fullmatch(text):
        raise ValueError(f"it has the name {text[:80]!r}, which is no identifier")
    if key == "in_spec":
        _check_arguments(text)


def _check_arguments(spec: str) -> None:
    """Check the names of keyword arguments, of which PyTorch writes the head of a function."""
    match json.loads(spec):
        case [_, {"children_spec": [_, {"context": str(names)}, *_]}]:
            given = json.loads(names)
        case _:
            given = []
    for name in given:
        if not _NAME.fullmatch(str(name)):
            raise ValueError(f"it has the name {str(name)[:80]!r}, which is no identifier")

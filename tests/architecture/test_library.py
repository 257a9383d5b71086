"""The public surface of ``import studio``: its names, its types, and how light it is."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import studio
import studio.library

NAMES = frozenset(
    "Endpoint Model Quantized Report close endpoint get_sample open run".split()  # noqa: SIM905
)
"""Frozen: scripts and notebooks are written against these names. Add with care."""

MODEL = frozenset(
    """
    convert deploy evaluate figures format inspect name package path plan precision profile
    quantize reference size table
    """.split()  # noqa: SIM905
)
ENDPOINT = frozenset(
    "call deployed logs monitor reference releases rollback target undeploy url".split()  # noqa: SIM905
)


def test_names() -> None:
    assert set(studio.__all__) == NAMES | {"__version__"}
    assert set(studio.library.__all__) == NAMES
    assert set(dir(studio)) >= NAMES
    assert all(getattr(studio, name) is getattr(studio.library, name) for name in NAMES)
    assert not hasattr(studio, "no_such_name")


def test_types_are_of_the_same_names() -> None:
    stub = ast.parse(Path(str(studio.__file__)).with_suffix(".pyi").read_text("utf-8"))
    imports = [node for node in stub.body if isinstance(node, ast.ImportFrom)]
    names = {alias.asname for node in imports for alias in node.names}
    assert {node.module for node in imports} == {"studio.library"}
    assert names == NAMES


def members(form: type) -> set[str]:
    """The public methods and properties of a class, and the attributes that it sets."""
    tree = ast.parse(inspect.getsource(form))
    own = {name for name in vars(form) if not name.startswith("_")}
    stored = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute))
    set_here = {one.attr for one in stored if isinstance(one.ctx, ast.Store)}
    return own | {name for name in set_here if not name.startswith("_")}


def test_members() -> None:
    assert members(studio.Model) == MODEL
    assert members(studio.Endpoint) == ENDPOINT


def test_public_functions_say_what_they_raise() -> None:
    for name in ("open", "endpoint", "get_sample", "run"):
        assert "Raises:" in (inspect.getdoc(getattr(studio, name)) or ""), name


def modules_of(code: str) -> set[str]:
    """The modules beyond the standard library that code has imported."""
    program = f"import sys\nbefore = set(sys.modules)\n{code}\nprint(*set(sys.modules) - before)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    found = set(done.stdout.split())
    return {name for name in found if name.partition(".")[0] not in sys.stdlib_module_names}


def test_the_import_alone_loads_nothing() -> None:
    assert modules_of("import studio") == {"studio"}


def test_the_library_loads_no_model_library_and_no_matplotlib() -> None:
    found = {name.partition(".")[0] for name in modules_of("import studio; studio.open")}
    assert found.isdisjoint({"PySide6", "matplotlib", "numpy", "onnx", "onnxruntime", "torch"})


def test_the_command_does_not_load_the_library() -> None:
    found = modules_of("import studio.cli.main; import studio.cli.step_commands")
    assert not [name for name in found if name.startswith("studio.library")]

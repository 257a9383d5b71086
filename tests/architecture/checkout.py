"""The product's sources of a checkout, each read and parsed once for all measures and rules."""

from __future__ import annotations

import ast
import functools
import gc
import textwrap
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TypeVar, cast

Node = TypeVar("Node", bound=ast.AST)
Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
Function = ast.FunctionDef | ast.AsyncFunctionDef

ROOT = Path(__file__).parents[2]
PRODUCT = ("studio", "plugins")
BESIDE = ("packaging", "resources", "tests", "examples")
# Folders whose own folders are counted one by one; all others are counted as a whole.
_COUNTED_INSIDE = (
    ("studio",), ("studio", "runtime"), ("studio", "gui"), ("studio", "features"), ("plugins",),
)  # fmt: skip


@dataclass(frozen=True)
class Module:
    """A source file.

    Attributes:
        path: Its path below the checkout, with slashes.
    """

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @cached_property
    def _nodes(self) -> dict[type[ast.AST], list[ast.AST]]:
        nodes: dict[type[ast.AST], list[ast.AST]] = defaultdict(list)
        for node in ast.walk(self.tree):
            nodes[type(node)].append(node)
        return dict(nodes)

    def all(self, kind: type[Node]) -> list[Node]:
        """The nodes of exactly one kind, wherever they stand in the file."""
        return cast("list[Node]", self._nodes.get(kind, []))

    @cached_property
    def functions(self) -> list[Function]:
        return [*self.all(ast.FunctionDef), *self.all(ast.AsyncFunctionDef)]

    @cached_property
    def texts(self) -> frozenset[str]:
        """Every literal text of the file."""
        values = (node.value for node in self.all(ast.Constant))
        return frozenset(value for value in values if isinstance(value, str))

    @cached_property
    def docstrings(self) -> dict[int, tuple[Documented, ast.Constant]]:
        """What is documented and the text of it, by the identity of the text's node."""
        owners: list[Documented] = [self.tree, *self.all(ast.ClassDef), *self.functions]
        found = ((owner, _docstring(owner)) for owner in owners)
        return {id(text): (owner, text) for owner, text in found if text is not None}

    @property
    def is_package(self) -> bool:
        return self.path.endswith("/__init__.py")

    @property
    def name(self) -> str:
        """The dotted name by which others import the file."""
        parts = list(PurePosixPath(self.path).with_suffix("").parts)
        parts = parts[1:] if parts[0] == "plugins" else parts
        return ".".join(parts[:-1] if self.is_package else parts)

    @property
    def folder(self) -> str:
        return str(PurePosixPath(self.path).parent)

    @property
    def area(self) -> str:
        """The folder of the budgets: a stage, a package of the runtime or the window, a plugin."""
        parts = PurePosixPath(self.path).parts[:-1]
        for depth in (1, 2, 3):
            if parts[:depth] not in _COUNTED_INSIDE:
                return "/".join(parts[:depth])
        return "/".join(parts)


def _docstring(owner: Documented) -> ast.Constant | None:
    first = owner.body[0] if owner.body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        return first.value if isinstance(first.value.value, str) else None
    return None


@functools.cache
def product(root: Path = ROOT) -> tuple[Module, ...]:
    """Every module of the studio and its plugins, parsed, in the order of the paths."""
    return _parsed(PRODUCT, root)


@functools.cache
def beside_the_product() -> tuple[Module, ...]:
    """Every other module of this checkout."""
    return _parsed(BESIDE, ROOT)


def _parsed(places: tuple[str, ...], root: Path) -> tuple[Module, ...]:
    paths = sorted(path for place in places for path in (root / place).rglob("*.py"))
    # Nothing of a tree becomes garbage. To look for some doubles the time, and would slow down each
    # collection of the tests that come later in this process.
    collecting = gc.isenabled()
    gc.disable()
    try:
        modules = [Module(path.relative_to(root).as_posix(), path.read_text()) for path in paths]
        for module in modules:
            module.all(ast.Name)
        gc.collect()
        gc.freeze()
        return tuple(modules)
    finally:
        if collecting:
            gc.enable()


def made_up(path: str, text: str) -> Module:
    """A source that is in no checkout, to break a rule with."""
    return Module(path, textwrap.dedent(text))

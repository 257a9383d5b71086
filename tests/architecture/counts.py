"""What is counted in a parsed source file, one function a figure."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from tests.architecture.checkout import Function, Module

LONG_FUNCTION = 60
FULL_FOLDER = 25
FEW_STEPS = 3
_QUESTIONS = ("What", "Who", "Whose", "Which", "Where", "When", "Why", "Whether", "How")
# In the order of a file, so that what opens like a comment in a text is passed over with the text.
_TEXT_OR_COMMENT = re.compile(
    r"""\"{3}(?:\\.|[^\\])*?\"{3}|'{3}(?:\\.|[^\\])*?'{3}"""
    r"""|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\#[^\n]*""",
    re.DOTALL,
)
_OPENINGS = (("What", "was"), ("Who",), ("How", "far"))


def lines(module: Module) -> int:
    return len(module.text.splitlines())


def any_uses(module: Module) -> int:
    """Where ``Any`` is written in an annotation or in code; its import is none."""
    names = sum(node.id == "Any" for node in module.all(ast.Name))
    return names + sum(node.attr == "Any" for node in module.all(ast.Attribute))


def text_lookups(module: Module) -> int:
    """Reads of ``x["key"]``, and ``x.get("key")`` with or without a default."""
    read = sum(
        isinstance(node.ctx, ast.Load) and text_of(node.slice) is not None
        for node in module.all(ast.Subscript)
    )
    return read + sum(is_get(node) for node in module.all(ast.Call))


def is_get(node: ast.Call) -> bool:
    """Whether a call is ``x.get("key")``."""
    if not isinstance(node.func, ast.Attribute) or node.func.attr != "get" or not node.args:
        return False
    return text_of(node.args[0]) is not None


def text_of(node: ast.AST | None) -> str | None:
    """The text that a node is; None where it is no literal text."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return None


def length(function: Function) -> int:
    """Lines from ``def`` to the end."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def long_functions(modules: Iterable[Module], most: int = LONG_FUNCTION) -> dict[str, int]:
    """Lengths of the functions that are longer, by ``path::name``."""
    return {
        f"{module.path}::{function.name}": length(function)
        for module in modules
        for function in module.functions
        if length(function) > most
    }


def comment_lines(module: Module) -> int:
    """Lines with a comment, whether it stands alone or behind code."""
    return sum(piece.startswith("#") for piece in _TEXT_OR_COMMENT.findall(module.text))


def docstring_lines(module: Module) -> int:
    texts = (text for _, text in module.docstrings.values())
    return sum((text.end_lineno or text.lineno) - text.lineno + 1 for text in texts)


def fragments(module: Module) -> list[str]:
    """Names of what is documented by a fragment instead of a sentence or a noun phrase.

    Such is the docstring of a public class that opens with a question word or has fewer than four
    words, and any that opens with "What was", "Who" or "How far".
    """
    return [
        getattr(owner, "name", module.name)
        for owner, text in module.docstrings.values()
        if _is_fragment(str(text.value), isinstance(owner, ast.ClassDef) and _is_public(owner.name))
    ]


def _is_public(name: str) -> bool:
    return not name.startswith("_")


def _is_fragment(docstring: str, of_public_class: bool) -> bool:
    words = [word.strip(",.:;?") for word in docstring.split("\n\n")[0].split()]
    if any(tuple(words[: len(opening)]) == opening for opening in _OPENINGS):
        return True
    return of_public_class and (len(words) < 4 or words[0] in _QUESTIONS)


def flat_files(modules: Iterable[Module]) -> Counter[str]:
    """How many files lie directly in each folder, ``__init__.py`` among them."""
    return Counter(module.folder for module in modules)


def full_folders(modules: Iterable[Module]) -> dict[str, int]:
    return {name: number for name, number in flat_files(modules).items() if number > FULL_FOLDER}


def step_names(modules: Iterable[Module]) -> set[str]:
    """The names of all steps, as their declarations ``Step(name=...)`` give them."""
    return {name for module in modules for name, _ in declared_steps(module)}


def declared_steps(module: Module) -> Iterator[tuple[str, ast.Call]]:
    """The steps that a module declares, each with the call that does so."""
    for call in module.all(ast.Call):
        # With or without its types: ``Step(...)`` or ``Step[Options, Result](...)``.
        called = call.func.value if isinstance(call.func, ast.Subscript) else call.func
        if isinstance(called, ast.Name) and called.id == "Step":
            named = [word.value for word in call.keywords if word.arg == "name"]
            name = text_of(next(iter([*named, *call.args]), None))
            if name is not None:
                yield name, call


def step_tables(modules: Iterable[Module]) -> dict[str, int]:
    """How many containers of each file hold three or more names of steps as literals.

    A container is a tuple, list, set or dictionary (by its keys), or the arguments of a call:
    a table may be written as ``_stage("Deploy", "package", "plan", "deploy")``.
    """
    modules = tuple(modules)
    names = step_names(modules)
    found = {
        module.path: sum(len(names & texts) >= FEW_STEPS for texts in _containers(module))
        for module in modules
    }
    return {path: number for path, number in found.items() if number}


def _containers(module: Module) -> Iterator[set[str | None]]:
    rows = [node.elts for node in module.all(ast.Tuple)]
    rows += [node.elts for node in module.all(ast.List)]
    rows += [node.elts for node in module.all(ast.Set)]
    rows += [call.args for call in module.all(ast.Call)]
    for row in rows:
        yield {text_of(element) for element in row}
    for table in module.all(ast.Dict):
        yield {text_of(key) for key in table.keys}


def extension_points(modules: Iterable[Module]) -> set[str]:
    """The members of ``studio.api``'s enumeration ``Extension``."""
    return {
        target.id
        for module in modules
        if module.path.startswith("studio/api/")
        for node in module.all(ast.ClassDef)
        if node.name == "Extension"
        for statement in node.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }


def named_extension_points(modules: Iterable[Module]) -> set[str]:
    """Members of ``Extension`` that the studio names where it may call them.

    The API only offers them and the check of a plugin only tries them; a plugin that brings one
    does not call it either, so that plugins are left out.
    """
    outside = ("studio/api/", "studio/plugin_host/check/", "plugins/")
    return {
        node.attr
        for module in modules
        if not module.path.startswith(outside)
        for node in module.all(ast.Attribute)
        if isinstance(node.value, ast.Name) and node.value.id == "Extension"
    }


def by_area(modules: Iterable[Module], count: Callable[[Module], int]) -> dict[str, int]:
    """A figure for each folder of the budgets that has any, in the order of the names."""
    found: Counter[str] = Counter()
    for module in modules:
        found[module.area] += count(module)
    return {area: number for area, number in sorted(found.items()) if number}

"""What somebody who adds a step or a page has to touch, read off one that there is."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator

from tests.architecture.checkout import Module
from tests.architecture.counts import declared_steps, is_get, text_of

STEP = "sensitivity"
PAGE = "runs"


def files_of_steps(modules: Iterable[Module]) -> dict[str, list[str]]:
    """Files in which the name of a step stands as a text, other than those that are the step.

    The step itself is the file that declares it and the functions that this file names as texts
    (``work="studio.quantization.sensitivity:measure"``). What is left are the tables, commands and
    pages that know it besides, each of which a new step would have to join.
    """
    modules = tuple(modules)
    own: dict[str, set[str]] = defaultdict(set)
    for module in modules:
        for name, call in declared_steps(module):
            own[name] |= {module.path, *_named_files(call)}
    return {
        name: [
            module.path for module in modules if name in module.texts and module.path not in files
        ]
        for name, files in sorted(own.items())
    }


def _named_files(call: ast.Call) -> Iterator[str]:
    """The files of the functions that a declaration names."""
    for node in ast.walk(call):
        module, mark, _ = (text_of(node) or "").partition(":")
        if mark and " " not in module:
            yield f"{module.replace('.', '/')}.py"


def files_of_page(modules: Iterable[Module], page: str) -> list[str]:
    """Files of the window that name a page in a text, or its module in a dotted one.

    The page's own module (``pages/runs.py`` or what lies in ``pages/runs/``) is left out, and so
    is a text that is a key of a look-up or of a dictionary with no other page's name: a result has
    ``runs``, too. A stage of the rail that is made of its title (``_stage("Runs", 7)``) counts.
    """
    modules = [module for module in modules if module.path.startswith("studio/gui/")]
    pages = page_names(modules)
    return [
        module.path
        for module in modules
        if not f"{module.name}.".startswith(f"studio.gui.pages.{page}.")
        and _names_page(module, page, pages)
    ]


def page_names(modules: Iterable[Module]) -> set[str]:
    """The pages, by the attribute ``stage`` of their classes."""
    found = {
        text_of(statement.value)
        for module in modules
        for node in module.all(ast.ClassDef)
        for statement in node.body
        if isinstance(statement, ast.Assign)
        and [ast.unparse(target) for target in statement.targets] == ["stage"]
    }
    return {name for name in found if name}


def _names_page(module: Module, page: str, pages: set[str]) -> bool:
    keys = {id(node) for node in _keys(module, pages)}
    return any(
        isinstance(node.value, str) and id(node) not in keys and _is_name_of(page, node.value)
        for node in module.all(ast.Constant)
    )


def _is_name_of(page: str, text: str) -> bool:
    return text in (page, page.capitalize()) or f"pages.{page}" in text


def _keys(module: Module, pages: set[str]) -> Iterator[ast.AST]:
    """Texts that are keys: of look-ups, and of dictionaries that are not keyed by pages."""
    for read in module.all(ast.Subscript):
        yield read.slice
    for call in module.all(ast.Call):
        if is_get(call):
            yield call.args[0]
    for table in module.all(ast.Dict):
        if len(pages & {text_of(key) for key in table.keys}) < 2:
            yield from (key for key in table.keys if key is not None)

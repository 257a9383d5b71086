"""Who imports whom, wherever the import stands in a file, and the circles in that."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from tests.architecture.checkout import Module

Graph = Mapping[str, set[str]]
Circle = tuple[str, ...]


def import_graph(modules: Sequence[Module]) -> dict[str, set[str]]:
    """The modules of the product that each module imports.

    Imports for type checking and inside functions count, too. A name that is taken from a package
    is an import of the module of that name, or of the package's own file where it has none; that
    Python runs the files of the packages above on its way is no import of theirs.
    """
    known = {module.name for module in modules}
    return {
        module.name: (set(_targets(module, known)) & known) - {module.name} for module in modules
    }


def _targets(module: Module, known: set[str]) -> Iterator[str]:
    for plain in module.all(ast.Import):
        yield from (alias.name for alias in plain.names)
    for node in module.all(ast.ImportFrom):
        base = _base(module, node)
        for alias in node.names:
            inside = f"{base}.{alias.name}"
            yield inside if inside in known else base


def _base(module: Module, node: ast.ImportFrom) -> str:
    """The dotted name behind ``from``, with a relative one made whole."""
    if not node.level:
        return node.module or ""
    parts = module.name.split(".")
    kept = parts[: len(parts) - node.level + module.is_package]
    return ".".join([*kept, node.module] if node.module else kept)


def circles(graph: Graph) -> list[Circle]:
    """The strongly connected components of more than one node, each sorted, and sorted."""
    order = _finishing_order(graph)
    backward: dict[str, set[str]] = defaultdict(set)
    for node, targets in graph.items():
        for target in targets:
            backward[target].add(node)
    found = []
    assigned: set[str] = set()
    for root in reversed(order):
        component = _reached(root, backward, assigned)
        if len(component) > 1:
            found.append(tuple(sorted(component)))
    return sorted(found)


def _finishing_order(graph: Graph) -> list[str]:
    """Nodes in the order in which a walk in depth leaves them (Kosaraju's first pass)."""
    order: list[str] = []
    seen: set[str] = set()
    for root in sorted(graph):
        stack = [(root, iter(sorted(graph[root])))] if root not in seen else []
        seen.add(root)
        while stack:
            node, targets = stack[-1]
            target = next((one for one in targets if one not in seen), None)
            if target is None:
                order.append(node)
                stack.pop()
            else:
                seen.add(target)
                stack.append((target, iter(sorted(graph.get(target, ())))))
    return order


def _reached(root: str, graph: Graph, assigned: set[str]) -> list[str]:
    """Nodes reached from one that belong to no component yet; they do from now on."""
    component = []
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node not in assigned:
            assigned.add(node)
            component.append(node)
            waiting += graph.get(node, set())
    return component


def file_circles(modules: Sequence[Module]) -> list[Circle]:
    """Circles of modules, by their dotted names."""
    return circles(import_graph(modules))


def folder_circles(modules: Sequence[Module]) -> dict[str, list[Circle]]:
    """Circles between folders of the same package, by the package that has any."""
    graph = import_graph(modules)
    folders = {module.name for module in modules if module.is_package}
    found = {parent: circles_inside(parent, graph, folders) for parent in sorted(folders)}
    return {parent: rings for parent, rings in found.items() if rings}


def circles_inside(parent: str, imports: Graph, folders: set[str]) -> list[Circle]:
    """Circles between the folders that lie directly in a package, by their last names.

    What a folder holds, at whatever depth, imports and is imported in its name. Files that lie in
    the package itself are no folder: their circles are those of files.
    """
    graph: dict[str, set[str]] = defaultdict(set)
    for module, targets in imports.items():
        source = _folder_below(parent, module, folders)
        if source:
            below = {_folder_below(parent, target, folders) for target in targets}
            graph[source] |= below - {source, ""}
    return circles(graph)


def _folder_below(parent: str, module: str, folders: set[str]) -> str:
    """The last name of the folder of a package in which a module lies; empty for none."""
    if not module.startswith(f"{parent}."):
        return ""
    child = module.removeprefix(f"{parent}.").split(".")[0]
    return child if f"{parent}.{child}" in folders else ""

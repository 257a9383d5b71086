"""Figures of the product's code, of one checkout or of two beside each other.

    python tests/architecture/measure.py [CHECKOUT] [--json] [--before CHECKOUT]
    python tests/architecture/measure.py --write-budgets

The second writes the data files of the rules beside it anew from the checkout, keeping reasons.
Nothing of a checkout is imported or run; it is only parsed.
"""

from __future__ import annotations

import argparse
import ast
import json
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.architecture import budgets, counts, imports, names, touched
from tests.architecture.checkout import ROOT, Module, product


@dataclass(frozen=True)
class Figures:
    """The figures of a checkout.

    Attributes:
        totals: Single figures, in the order of the table.
        any_uses: Uses of ``Any`` by folder; ``lookups`` those with a text key.
        folder_circles: By the package whose folders they are.
        common_names: Names of classes in more than two modules, with the modules.
        of_step: Files that know the step of the example besides itself.
    """

    totals: dict[str, int]
    any_uses: dict[str, int]
    lookups: dict[str, int]
    circles: list[imports.Circle]
    folder_circles: dict[str, list[imports.Circle]]
    full_folders: dict[str, int]
    common_names: dict[str, tuple[str, ...]]
    long_functions: dict[str, int]
    of_step: list[str]
    of_page: list[str]


def figures(root: Path) -> Figures:
    """Measure a checkout."""
    modules = product(root)
    common = {one.name: one.files for one in names.common_classes(modules)}
    circles, rings = imports.file_circles(modules), imports.folder_circles(modules)
    of_page = touched.files_of_page(modules, touched.PAGE)
    totals = {
        **_sizes(modules),
        **_structure(modules),
        "circles of files": len(circles),
        "files in circles": sum(map(len, circles)),
        "circles of folders": sum(map(len, rings.values())),
        **_names(modules, root),
        f"files of the window that know the page {touched.PAGE}": len(of_page),
    }
    return Figures(
        totals=totals,
        any_uses=counts.by_area(modules, counts.any_uses),
        lookups=counts.by_area(modules, counts.text_lookups),
        circles=circles,
        folder_circles=rings,
        full_folders=counts.full_folders(modules),
        common_names=dict(sorted(common.items())),
        long_functions=counts.long_functions(modules),
        of_step=touched.files_of_steps(modules).get(touched.STEP, []),
        of_page=of_page,
    )


def _sizes(modules: Sequence[Module]) -> dict[str, int]:
    studio = [module for module in modules if module.path.startswith("studio/")]
    lengths = [counts.length(one) for module in modules for one in module.functions]
    lines = sum(map(counts.lines, modules))
    comments = sum(map(counts.comment_lines, modules))
    return {
        "files": len(modules),
        "files of studio": len(studio),
        "files without __init__": sum(not module.is_package for module in modules),
        "lines": lines,
        "lines of studio": sum(map(counts.lines, studio)),
        "functions": len(lengths),
        "functions over 40 lines": sum(length > 40 for length in lengths),
        "functions over 60 lines": sum(length > counts.LONG_FUNCTION for length in lengths),
        "classes": sum(len(module.all(ast.ClassDef)) for module in modules),
        "comment lines": comments,
        "lines to a comment": round(lines / max(comments, 1)),
        "docstring lines": sum(map(counts.docstring_lines, modules)),
    }


def _structure(modules: Sequence[Module]) -> dict[str, int]:
    studio = [module for module in modules if module.path.startswith("studio/")]
    plugins = [module for module in modules if module.path.startswith("plugins/")]
    return {
        "Any in studio": sum(map(counts.any_uses, studio)),
        "Any in plugins": sum(map(counts.any_uses, plugins)),
        "look-ups with a text key in studio": sum(map(counts.text_lookups, studio)),
        "look-ups with a text key in plugins": sum(map(counts.text_lookups, plugins)),
        "files in the fullest folder": max(counts.flat_files(modules).values(), default=0),
        f"folders with more than {counts.FULL_FOLDER} files": len(counts.full_folders(modules)),
        "extension points that nothing names": len(
            counts.extension_points(modules) - counts.named_extension_points(modules)
        ),
    }


def _names(modules: Sequence[Module], root: Path) -> dict[str, int]:
    steps = {name: len(files) for name, files in touched.files_of_steps(modules).items()}
    hits = budgets.word_hits(modules, root)
    return {
        "class names in 3 or more modules": len(names.common_classes(modules)),
        "classes with a banned name": len(names.banned_classes(modules)),
        "modules that are bare participles": len(names.participles(modules)),
        "docstrings that are fragments": sum(len(counts.fragments(one)) for one in modules),
        "words of the list": sum(map(len, hits.values())),
        "tables of step names": sum(counts.step_tables(modules).values()),
        f"files besides its own that know the step {touched.STEP}": steps.get(touched.STEP, 0),
        "files that know a step, the median": statistics.median_high(steps.values() or [0]),
    }


def table(now: Mapping[str, int], before: Mapping[str, int] | None) -> str:
    """The single figures in Markdown; with those of another checkout, both and the difference."""
    if before is None:
        rows = [f"| {key} | {value:,} |" for key, value in now.items()]
        return "\n".join(["| figure | |", "|---|---:|", *rows])
    rows = [
        f"| {key} | {before[key]:,} | {value:,} | {value - before[key]:+,} |"
        for key, value in now.items()
    ]
    return "\n".join(["| figure | before | now | |", "|---|---:|---:|---:|", *rows])


def details(found: Figures) -> str:
    """What stands behind the figures, in lists."""
    rings = [*map(", ".join, found.circles)]
    rings += [
        f"folders of {parent}: {', '.join(ring)}"
        for parent, circles in found.folder_circles.items()
        for ring in circles
    ]
    parts = {
        "Circles": rings,
        "Full folders": _largest(found.full_folders),
        "`Any`": _largest(found.any_uses),
        "Look-ups with a text key": _largest(found.lookups),
        "Functions that are too long": _largest(found.long_functions),
        "Class names in 3 or more modules": [
            f"{name}: {len(files)}" for name, files in found.common_names.items()
        ],
        f"Files besides its own that know the step {touched.STEP}": found.of_step,
        f"Files of the window that know the page {touched.PAGE}": found.of_page,
    }
    return "\n\n".join(
        "\n".join([f"{title}:", *(f"- {line}" for line in lines or ["none"])])
        for title, lines in parts.items()
    )


def _largest(numbers: Mapping[str, int]) -> list[str]:
    order = sorted(numbers.items(), key=lambda item: (-item[1], item[0]))
    return [f"{key}: {number:,}" for key, number in order]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print, or write; 1 where a sum rises and nothing was written."""
    parser = argparse.ArgumentParser(description="Figures of the product's code.")
    parser.add_argument("checkout", nargs="?", type=Path, default=ROOT)
    parser.add_argument("--json", action="store_true", help="all figures and lists as JSON")
    parser.add_argument("--before", type=Path, metavar="CHECKOUT", help="compare with another")
    parser.add_argument("--write-budgets", action="store_true", help="write the rules' data files")
    parser.add_argument("--more", action="store_true", help="write them also where a sum rises")
    given = parser.parse_args(arguments)
    if given.write_budgets:
        return _write(given.checkout, given.more)
    now = figures(given.checkout)
    before = figures(given.before) if given.before else None
    if given.json:
        both = {"before": asdict(before), "now": asdict(now)} if before else asdict(now)
        print(json.dumps(both, indent=1))
    else:
        print(table(now.totals, before.totals if before else None))
        print("" if before else f"\n{details(now)}")
    return 0


def _write(root: Path, more: bool) -> int:
    rising = budgets.write(root, more)
    for sentence in rising:
        print(sentence)
    if rising and not more:
        print("Nothing was written. With --more it is, where a sum has to rise.")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

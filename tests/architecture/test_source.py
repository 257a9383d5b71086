"""Rules that every source file keeps."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.architecture.checkout import ROOT, Module, beside_the_product, made_up, product

PLACES = ("studio", "plugins", "packaging", "resources", "tests")
MOST_LINES = 400


def sources(*places: str) -> Iterator[Module]:
    below = tuple(f"{place}/" for place in places)
    for module in (*product(), *beside_the_product()):
        if module.path.startswith(below):
            yield module


def test_modules_open_with_a_sentence_that_says_what_is_inside() -> None:
    openings = {module.path: opening(module) for module in sources(*PLACES)}
    guilty = {path: sentence for path, sentence in openings.items() if not described(sentence)}
    assert guilty == {}


def opening(module: Module) -> str | None:
    """The first sentence of a module; None where the file is empty."""
    if not module.text.strip():
        return None
    return (ast.get_docstring(module.tree) or "").split("\n\n")[0]


def described(sentence: str | None) -> bool:
    """Whether it is a whole sentence, and not one that only says that it is a file."""
    if sentence is None:
        return True
    return sentence.endswith((".", "?")) and not re.match(r"(This|The) (module|file)\b", sentence)


@pytest.mark.parametrize(
    ("sentence", "good"),
    [
        (None, True),
        ("A tree of errors.", True),
        ("", False),
        ("A tree", False),
        ("This file.", False),
    ],
)
def test_the_rule_for_openings_can_be_broken(sentence: str | None, good: bool) -> None:
    assert described(sentence) is good


def test_no_file_is_too_long() -> None:
    lengths = {module.path: len(module.text.splitlines()) for module in sources(*PLACES)}
    assert len(lengths) > 100
    # A class or a stage in a longer one may want a room of its own.
    assert {path: lines for path, lines in lengths.items() if lines > MOST_LINES} == {}


_APART = ("-P", "-I")
_ASKS_FOR_CODE = ("-m", "-c")
_OLD_PYTHONS = {"studio/runtime/serve/release_root.py": "-P where it is known"}


def starts_python(module: Module) -> Iterator[ast.List | ast.Tuple]:
    """Command lines that begin with this Python."""
    commands: list[ast.List | ast.Tuple] = [*module.all(ast.List), *module.all(ast.Tuple)]
    for node in commands:
        first = node.elts[0] if len(node.elts) > 1 else None
        if isinstance(first, ast.Attribute) and first.attr == "executable":
            yield node


def imports_from_the_current_folder(command: ast.List | ast.Tuple) -> bool:
    """Whether a command line that begins with Python lets it do so."""
    words = [one.value for one in command.elts if isinstance(one, ast.Constant)]
    return any(word in words for word in _ASKS_FOR_CODE) and words[0] not in _APART


def test_no_python_is_started_that_imports_from_the_current_folder() -> None:
    guilty = [
        f"{module.path}:{command.lineno}"
        for module in sources("studio", "plugins", "examples")
        for command in starts_python(module)
        if imports_from_the_current_folder(command) and module.path not in _OLD_PYTHONS
    ]
    assert guilty == []
    for text, wrong in (
        ("[sys.executable, '-m', 'a']", True),
        ("[sys.executable, '-I', '-c']", False),
    ):
        (command,) = starts_python(made_up("a.py", text))
        assert imports_from_the_current_folder(command) is wrong


def test_commands_print_through_what_makes_texts_plain() -> None:
    guilty = [
        f"{module.path}:{node.lineno}"
        for module in sources("studio/cli")
        for node in module.all(ast.Call)
        if isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert [place for place in guilty if not place.startswith("studio/cli/output.py:")] == []


def unplain(module: Module) -> Iterator[str]:
    """Tooltips and labels of a file whose text is not our own, and could be read as markup."""
    for node in module.all(ast.Call):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        called = node.func.id if isinstance(node.func, ast.Name) else called
        said = node.args[1:2] if called == "showText" else node.args[:1]
        if called in ("setToolTip", "showText") and said and not is_plain(said[0]):
            yield f"{module.path}:{node.lineno}: {called}"
        plain = any(keyword.arg == "textFormat" for keyword in node.keywords)
        if called == "QLabel" and said and not (plain or isinstance(said[0], ast.Constant)):
            yield f"{module.path}:{node.lineno}: {called}"


def is_plain(text: ast.expr) -> bool:
    """Whether a text is written there, or made plain there or just before."""
    if isinstance(text, ast.IfExp):
        return is_plain(text.body) and is_plain(text.orelse)
    if isinstance(text, ast.Name):
        return text.id == "tip"
    called = isinstance(text, ast.Call) and isinstance(text.func, ast.Name)
    return isinstance(text, ast.Constant) or (called and text.func.id == "plain_tip")


def test_labels_and_tooltips_show_plain_text() -> None:
    places = sources("studio/gui", "studio/features", "studio/api", "plugins")
    assert [one for module in places for one in unplain(module)] == []


def test_studio_has_the_folders_that_the_architecture_names() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    folders = [path.parent.name for path in (ROOT / "studio").glob("*/__init__.py")]
    assert [folder for folder in folders if f"`{folder}`" not in page] == []


def test_packaging_is_no_package() -> None:
    # It would shadow the library of the same name, which half of the installed tools import.
    assert not (ROOT / "packaging" / "__init__.py").exists()


def test_no_plugin_is_named_like_a_library() -> None:
    folders = [path.parent.name for path in (ROOT / "plugins").glob("*/plugin.toml")]
    assert folders
    assert [folder for folder in folders if not folder.startswith("studio_")] == []


def test_nobody_imports_a_panel() -> None:
    guilty = [
        f"{module.path}: {name}"
        for module in sources("studio", "plugins")
        for name in imported(module)
        if name.endswith(".panel")
    ]
    assert guilty == []


def imported(module: Module) -> Iterator[str]:
    """Names of the modules that a file imports."""
    for node in module.all(ast.Import):
        yield from (alias.name for alias in node.names)
    for taken in module.all(ast.ImportFrom):
        if taken.module:
            yield taken.module
            yield from (f"{taken.module}.{alias.name}" for alias in taken.names)

"""No circles of imports: not of files, and not between the folders of one package."""

from __future__ import annotations

import pprint

import pytest

from tests.architecture.checkout import Module, made_up, product
from tests.architecture.imports import file_circles, folder_circles, import_graph

APART = (
    "studio.runtime",
    "studio.runtime.serve",
    "studio.runtime.release",
    "studio.runtime.bench",
    "studio.monitoring",
    "studio.deployment",
    "studio.gui",
)


def test_there_are_no_circles_of_files() -> None:
    circles = sorted(file_circles(product()))
    assert not circles, f"cut them, by a Protocol or a third file: {pprint.pformat(circles)}"


@pytest.mark.parametrize("package", APART)
def test_there_are_no_circles_between_folders(package: str) -> None:
    modules = product()
    assert any(module.name == package for module in modules), "a package of the rule has moved"
    assert folder_circles(modules).get(package, []) == []


def files(**sources: str) -> list[Module]:
    """Modules of a made-up package ``studio``, with two underscores for each slash."""
    paths = {f"studio/{name.replace('__', '/')}.py": text for name, text in sources.items()}
    folders = {f"{path.rsplit('/', 1)[0]}/__init__.py" for path in paths}
    return [made_up(path, text) for path, text in {**dict.fromkeys(folders, ""), **paths}.items()]


@pytest.mark.parametrize(
    "back",
    [
        "from studio.one import name",
        "import studio.one",
        "from studio import one",
        "from . import one",
        "from .one import name",
        "if TYPE_CHECKING:\n    from studio.one import Name",
        "def late():\n    from studio.one import name",
    ],
)
def test_an_import_back_is_a_circle_however_it_is_written(back: str) -> None:
    modules = files(one="from studio.two import name", two="from studio.three import a", three=back)
    assert file_circles(modules) == [("studio.one", "studio.three", "studio.two")]


def test_imports_in_one_direction_are_no_circle() -> None:
    modules = files(one="from studio import two, three", two="from .three import a", three="")
    assert import_graph(modules)["studio.one"] == {"studio.two", "studio.three"}
    assert file_circles(modules) == []


def test_a_package_that_takes_a_name_from_its_own_file_is_one_where_that_asks_the_package() -> None:
    package = made_up("studio/bench/__init__.py", "from studio.bench.study import a")
    study = made_up("studio/bench/study.py", "from studio.bench import PROTOCOL")
    apart = made_up("studio/bench/study.py", "from studio.bench.stream import PROTOCOL")
    assert file_circles([package, study]) == [("studio.bench", "studio.bench.study")]
    assert file_circles([package, apart]) == []


def test_two_circles_that_share_no_file_are_told_apart() -> None:
    modules = files(
        a="from . import b", b="from . import a, c", c="from . import d", d="import studio.c"
    )
    assert file_circles(modules) == [("studio.a", "studio.b"), ("studio.c", "studio.d")]


def test_folders_can_be_a_circle_where_no_files_are() -> None:
    modules = files(
        serve__rest__one="from studio.serve.http import two",
        serve__http__two="",
        serve__http__three="from studio.serve.rest import four",
        serve__rest__four="",
        serve__top="from studio.serve.rest import one",
    )
    assert file_circles(modules) == []
    assert folder_circles(modules) == {"studio.serve": [("http", "rest")]}

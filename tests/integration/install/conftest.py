"""What ``make package`` makes, and bare systems to install it in."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.screen import Screen
from tests.integration.install.root import BareRoot, image

_ROOT = Path(__file__).parents[3]
_BUILD_S = 1800
# Read when the file is loaded, as the folder of the images is.
_DIST = os.environ.get("EDGEWRIGHT_DIST")
MakeRoot = Callable[..., BareRoot]


@dataclass(frozen=True)
class Packages:
    """The files that users install."""

    wheel: Path
    headless: Path
    deb: Path
    appimage: Path


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Packages:
    """All of them, made of this checkout; $EDGEWRIGHT_DIST names a folder that has them."""
    folder = Path(_DIST) if _DIST else tmp_path_factory.mktemp("dist")
    if not _DIST:
        _build(folder)
    return Packages(
        *(next(folder.glob(name)) for name in (
            "edgewright-*.whl", "edgewright_headless-*.whl", "*.deb", "*.AppImage"
        ))
    )  # fmt: skip


def _build(folder: Path) -> None:
    environment = {**os.environ, "HOME": str(folder)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    python = ["nice", "-n", "15", sys.executable]
    words = ["-m", "hatchling", "build", "-d", str(folder), "-t", "wheel"]
    subprocess.run([*python, *words], cwd=_ROOT, env=environment, check=True, timeout=_BUILD_S)
    (wheel,) = folder.glob("edgewright-*.whl")
    for script in ("headless", "debian", "appimage"):
        subprocess.run(
            [*python, f"packaging/{script}.py", str(wheel)],
            cwd=_ROOT, env=environment, check=True, timeout=_BUILD_S,
        )  # fmt: skip


@pytest.fixture
def bare(rigs: Path, tmp_path: Path) -> MakeRoot:
    """Makes a bare system, and installs some Debian packages in it."""

    def make(*names: str) -> BareRoot:
        root = BareRoot(image(rigs), tmp_path / "root")
        if names:
            root.add(*names)
        return root

    return make


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Screen]:
    """A virtual screen, which programs in a bare system reach as well."""
    folder = tmp_path / "screen"
    folder.mkdir()
    screen = Screen(folder)
    yield screen
    screen.close()

"""PP-OCRv5 as one app on an emulated arm64 board, next to the chain of its wheel on this computer.

The processor is emulated, which takes a minute or more for a page. Kernels of another processor
round otherwise, so that a text may differ in rare cases: lines are counted.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Studio
from tests.integration.apps.ocr import of_board, of_chain
from tests.integration.arm64 import image, machine
from tests.integration.arm64.machine import Machine
from tests.rigs.ocr_app import make_ocr_app

pytestmark = [pytest.mark.rig, pytest.mark.needs(*image.PROGRAMS, *machine.PROGRAMS)]

PAGES = int(os.environ.get("PAGES", "10"))
_LEAST_SHARE = 0.99
_LONG = 1800


@pytest.fixture(scope="module")
def board(rigs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    if os.geteuid() != 0:
        pytest.skip("only root can unpack an image")
    with Machine(image.image(rigs), tmp_path_factory.mktemp("machine")) as board:
        yield board


def test_texts_are_those_of_the_chain(
    studio: Studio, board: Machine, rigs: Path, tmp_path: Path
) -> None:
    folder = make_ocr_app(tmp_path / "app", PAGES)
    wanted = of_chain(rigs, folder / "pages")
    key = ("--key-file", board.key_file, "--accept-host-key", board.fingerprint)
    studio.ok("target", "add", "board", board.url, *key)
    deployed = studio.ok("deploy", folder, "--target", "board", timeout=_LONG)

    def run(*words: str) -> str:
        return board.run(shlex.join(words), timeout=120)

    found = of_board(run, str(deployed["endpoint"]), PAGES, _LONG)
    lines = [
        pair for ours, theirs in zip(found, wanted, strict=True) for pair in _pairs(ours, theirs)
    ]
    equal = sum(ours == theirs for ours, theirs in lines)
    pages = sum(ours == theirs for ours, theirs in zip(found, wanted, strict=True))
    print(f"{equal} of {len(lines)} lines and {pages} of {PAGES} pages are equal", flush=True)
    assert equal >= _LEAST_SHARE * len(lines)


def _pairs(ours: list[str], theirs: list[str]) -> list[tuple[str, str]]:
    """Texts of one page at the same place; a missing one is empty."""
    count = max(len(ours), len(theirs))
    filled = [texts + [""] * (count - len(texts)) for texts in (ours, theirs)]
    return list(zip(*filled, strict=True))

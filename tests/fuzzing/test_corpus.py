"""Inputs that once broke something: each is now taken, or refused on purpose."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzzing.target import CORPUS, target

INPUTS = sorted(path.relative_to(CORPUS).as_posix() for path in CORPUS.rglob("*") if path.is_file())


@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.filterwarnings("ignore:Reading `.npy`")  # numpy's, of a header from Python 2
def test_it_ends_as_it_should(name: str, tmp_path: Path) -> None:
    chosen = target(name.partition("/")[0])
    refusal = ""
    try:
        chosen.run((CORPUS / name).read_bytes(), tmp_path)
    except chosen.accepted as error:
        refusal = str(error)
    assert not refusal or refusal.rstrip().endswith("."), "a refusal is a sentence"

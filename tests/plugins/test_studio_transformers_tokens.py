"""The rule of digits in ``tokenizer.json``, as patterns that other libraries follow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from studio_transformers.tool_tokens import follow_digits, strings

BYTES = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
DIGITS = {"type": "Digits", "individual_digits": True}


def written(path: Path, *steps: dict[str, Any]) -> Path:
    content = {"pre_tokenizer": {"type": "Sequence", "pretokenizers": list(steps)}, "model": {}}
    path.write_text(json.dumps(content))
    return path


def steps_of(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text())["pre_tokenizer"]["pretokenizers"]
    return found


@pytest.mark.parametrize(("together", "patterns"), [(True, 1), (False, 2)])
def test_digits_become_patterns(together: bool, patterns: int, tmp_path: Path) -> None:
    path = written(tmp_path / "tokenizer.json", DIGITS, BYTES)
    assert follow_digits(path, together=together)
    kinds = [one["type"] for one in steps_of(path)]
    assert kinds == ["Split"] * patterns + ["ByteLevel"]
    assert steps_of(path)[-1]["use_regex"] is False


@pytest.mark.parametrize(
    "steps",
    [
        (),
        (BYTES,),
        ({**DIGITS, "individual_digits": False}, BYTES),
        (DIGITS, {**BYTES, "use_regex": False}),
        (DIGITS, DIGITS, BYTES),
    ],
)
def test_other_rules_stay(steps: tuple[dict[str, Any], ...], tmp_path: Path) -> None:
    path = written(tmp_path / "tokenizer.json", *steps)
    before = path.read_bytes()
    assert not follow_digits(path, together=True)
    assert path.read_bytes() == before


def test_strings_for_the_comparison_are_always_the_same() -> None:
    assert strings() == strings()
    assert len(set(strings())) > 450

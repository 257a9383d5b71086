"""Guard rules in a bundle: signed with it, and mistakes named with their line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio.api import InvalidData, StudioError, UsageError
from studio.packages.language import lost_guard, read_guard
from studio.runtime.serve.engine.source import from_bundle
from tests.unit.packages.test_language import bundle_of, genai, llama

GOOD = """
[[rules]]
name = "plans"
words = ["secret plan"]
message = "Not here."

[[rules]]
name = "form"
on = "answers"
action = "count"
schema = {type = "object", required = ["age"], properties = {age = {type = "integer"}}}
"""


@pytest.mark.parametrize("write", [lambda p: llama(p / "tiny.gguf"), genai])
def test_rules_are_a_file_of_the_bundle(tmp_path: Path, write: object) -> None:
    rules = tmp_path / "guard.toml"
    rules.write_text(GOOD)
    bundle = bundle_of(write(tmp_path), tmp_path / "job", guard=rules)  # type: ignore[operator]
    assert "guard.json" in {file.name for file in bundle.files}
    guard = from_bundle(bundle.folder).guard
    assert guard is not None
    assert [rule.name for rule in guard.rules] == ["plans", "form"]
    assert guard.refusal_of("a SECRET plan") == "Not here."


def test_without_rules_the_bundle_is_as_before(tmp_path: Path) -> None:
    bundle = bundle_of(llama(tmp_path / "tiny.gguf"), tmp_path / "job")
    assert "guard" not in json.loads(bundle.text)
    assert from_bundle(bundle.folder).guard is None


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (GOOD.replace('"secret plan"', '"!!"'), "line 4"),
        (GOOD.replace("message", "massage"), "line 5"),
        (GOOD + '[[rules]]\nname = "x"\nregex = "(a"\n', "line 14"),
        ("[[rules]\n", "line 1"),
        ("", "guard.toml"),
    ],
)
def test_a_mistake_has_its_line(tmp_path: Path, text: str, place: str) -> None:
    path = tmp_path / "guard.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=place):
        read_guard(path)


def test_rules_that_refuse_the_prompts_of_a_target_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "guard.toml"
    path.write_text('[[rules]]\nname = "x"\nwords = ["france"]\n')
    with pytest.raises(UsageError, match="The capital of France is"):
        read_guard(path)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "guard.toml").write_bytes(b"\xff\xfe")
    for path in (tmp_path / "guard.toml", tmp_path / "none.toml", tmp_path):
        with pytest.raises((InvalidData, StudioError), match="cannot be read"):
            read_guard(path)


def test_rules_that_a_later_bundle_leaves_out_are_noted(tmp_path: Path) -> None:
    rules = tmp_path / "guard.toml"
    rules.write_text(GOOD)
    path = llama(tmp_path / "tiny.gguf")
    guarded = bundle_of(path, tmp_path / "job", guard=rules)
    bare = bundle_of(path, tmp_path / "other")
    assert "Add --guard" in lost_guard([bare.folder, guarded.folder])[0]
    assert lost_guard([bare.folder]) == []

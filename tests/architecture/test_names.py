"""Names of classes and modules: nouns of the field, each for one thing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture import budgets
from tests.architecture.checkout import ROOT, made_up, product
from tests.architecture.names import (
    BANNED,
    Offence,
    banned_classes,
    common_classes,
    offences,
    participles,
)

# Offenders from before the rules, and names that have a reason, are in allowed_names.toml.


def test_names_are_nouns_of_the_field_or_have_a_reason() -> None:
    found = offences(product())
    unknown = [one for one in found if one not in budgets.allowed_names(ROOT)]
    said = [f"{one.name} in {one.where} {' '.join(one.files)} ({one.rule})" for one in unknown]
    assert not said, f"choose others, or give a reason in {budgets.NAMES}:\n" + "\n".join(said)


def test_names_that_are_allowed_are_still_there() -> None:
    gone = sorted(budgets.allowed_names(ROOT).keys() - set(offences(product())))
    said = [f"{one.name} in {one.where} ({one.rule})" for one in gone]
    assert not said, f"take them off the list with `{budgets.COMMAND}`:\n" + "\n".join(said)


def test_every_name_that_is_allowed_has_a_reason() -> None:
    reasons = budgets.allowed_names(ROOT)
    assert [one for one, reason in reasons.items() if len(reason.split()) < 4] == []


@pytest.mark.parametrize("name", sorted(BANNED))
def test_a_banned_name_of_a_class_is_found(name: str) -> None:
    module = made_up("studio/models/new.py", f"def f():\n    class {name}:\n        pass")
    assert banned_classes([module]) == [Offence("banned", name, "studio/models/new.py")]


def test_a_name_with_a_banned_word_in_it_is_none() -> None:
    module = made_up("studio/models/new.py", "class CatalogEntry: ...\nclass _Entry: ...")
    assert banned_classes([module]) == []


def test_only_the_stage_of_rollouts_has_a_rollout() -> None:
    at_home, elsewhere = (
        made_up(f"studio/{stage}/work.py", "class Rollout: ...") for stage in ("rollouts", "cli")
    )
    assert [one.where for one in banned_classes([at_home, elsewhere])] == ["studio/cli/work.py"]


def test_a_name_of_a_class_in_three_modules_is_found() -> None:
    twice = [made_up(f"studio/{name}.py", "class Row: ...\nclass Row: ...") for name in "ab"]
    assert common_classes(twice) == []
    (found,) = common_classes([*twice, made_up("plugins/c.py", "class Row: ...")])
    assert found == Offence("common", "Row", "3 modules")
    assert found.files == ("plugins/c.py", "studio/a.py", "studio/b.py")


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("studio/a/searching.py", ["searching"]),
        ("studio/a/tried.py", ["tried"]),
        ("studio/folding/__init__.py", ["folding"]),
        ("studio/a/layer_search.py", []),
        ("studio/a/job_tried.py", []),
        ("studio/folding/blocks.py", []),
    ],
)
def test_a_module_that_is_a_bare_participle_is_found(path: str, found: list[str]) -> None:
    assert [one.name for one in participles([made_up(path, "")])] == found


def test_a_reason_stays_with_a_name_that_is_moved() -> None:
    old = Offence("participle", "signing", "studio/packages/signing.py")
    moved = Offence("participle", "signing", "studio/safety/signing.py")
    new = Offence("participle", "trusting", "studio/safety/trusting.py")
    known = {old: "The field's own word."}
    assert budgets.reason_of(moved, known) == "The field's own word."
    assert budgets.reason_of(new, known) != "The field's own word."
    other = Offence("participle", "signing", "plugins/a/signing.py")
    unsure = {**known, other: "Another."}
    assert budgets.reason_of(other, unsure) == "Another."
    assert budgets.reason_of(moved, unsure) == budgets.reason_of(new, unsure)


def test_names_are_read_as_they_were_written(tmp_path: Path) -> None:
    checkout(tmp_path)
    assert budgets.write(tmp_path) == []
    (found,) = budgets.allowed_names(tmp_path)
    assert found == Offence("banned", "Wish", "studio/a.py")


def checkout(root: Path) -> None:
    """A product of one module that has a banned name, with the pages that belong to it."""
    for folder in ("studio", "plugins", "docs", "tests/architecture"):
        (root / folder).mkdir(parents=True)
    (root / "studio" / "a.py").write_text("class Wish: ...\n")
    for page in ("README.md", "CHANGELOG.md"):
        (root / page).write_text("# Title\n")

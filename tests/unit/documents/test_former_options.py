"""Options that were stored under former names, read under the present ones."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from studio.documents.former_options import FORMER, current
from studio.registry import Registry
from studio.steps.catalogue import steps


def test_stored_options_have_their_present_names(tmp_path: Path) -> None:
    with closing(Registry.open(tmp_path / "registry")) as registry:
        registry.ledger.add_action("deploy", {"quality": True, "soak_s": 2}, {}, "cli")
        registry.ledger.add_action("project-set", {"quality": 1}, {}, "cli")
        new, old = registry.ledger.actions()
    assert old.options == {"trial": True, "soak_s": 2}
    assert new.options == {"quality": 1}


def test_former_names_lead_to_options_and_are_none() -> None:
    for step, names in FORMER.items():
        options = {option.name for option in steps()[step].form}
        assert set(names.values()) <= options, step
        assert not options & set(names), step
        assert current(step, dict.fromkeys(names, 1)) == dict.fromkeys(names.values(), 1)

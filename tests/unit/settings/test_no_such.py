"""A name that there is not: the nearest, and no more beside it than is read at a glance."""

from __future__ import annotations

import pytest

from studio.api import UsageError
from studio.documents.toml_text import no_such
from studio.steps.catalogue import step, steps


def test_few_names_are_all_listed() -> None:
    reason, hint = no_such("nme", ["steps", "name"])
    assert reason == "unknown key 'nme'; the nearest is 'name'."
    assert hint == "Known: name, steps."


def test_of_many_names_only_those_that_are_alike() -> None:
    with pytest.raises(UsageError) as caught:
        step("monitr")
    assert str(caught.value) == "Unknown step 'monitr'; the nearest is 'monitor'."
    listed = caught.value.hint.removeprefix("Alike are: ").rstrip(".").split(", ")
    assert 1 <= len(listed) <= 3
    assert set(listed) <= set(steps()) - {"monitor"}


def test_many_names_that_are_none_alike_are_listed_all_the_same() -> None:
    with pytest.raises(UsageError) as caught:
        step("zzzz")
    assert all(name in caught.value.hint for name in steps())

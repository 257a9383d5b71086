"""The collector of cycles: held back, given back, and blind to what was made."""

from __future__ import annotations

import gc

import pytest

from studio.models.collector import uncollected


def test_it_is_given_back_also_after_an_error() -> None:
    assert gc.isenabled()
    with pytest.raises(ValueError, match="it is off"):
        fail_within()
    assert gc.isenabled()


def fail_within() -> None:
    with uncollected():
        raise ValueError("it is on" if gc.isenabled() else "it is off")


def test_many_new_objects_are_out_of_its_sight_and_still_freed() -> None:
    try:
        before = gc.get_freeze_count()
        with uncollected():
            few = [[1]]
        assert gc.get_freeze_count() == before
        with uncollected():
            many = [[number] for number in range(50_000)]
        frozen = gc.get_freeze_count()
        assert frozen >= before + 50_000
        assert few
        del many
        assert gc.get_freeze_count() <= frozen - 50_000
    finally:
        gc.unfreeze()

"""Options of the core's steps that are offered with apps alone."""

import pytest

from studio.jobs import options_form
from studio.steps.catalogue import step


@pytest.mark.parametrize("name", ["deploy", "package", "rollout"])
def test_an_option_is_offered_with_its_feature(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "app" in [option.name for option in step(name).form]
    monkeypatch.setattr(options_form, "added_texts", lambda slot: ())
    names = [option.name for option in step(name).form]
    assert "app" not in names
    assert "model" in names

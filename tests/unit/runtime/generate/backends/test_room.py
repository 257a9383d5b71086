"""Memory and context are refused before a model is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.runtime.generate.backends import room
from studio.runtime.generate.backends.room import context_of, require_cache, require_weights
from studio.runtime.shared.errors import LoadError


@pytest.fixture
def _free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "available_bytes", lambda: 100_000_000)


@pytest.mark.usefixtures("_free")
@pytest.mark.parametrize(
    ("token", "slots", "sentence"),
    [
        (
            50_000,
            1,
            "M needs 410 MB for 8192 tokens of context in 1 slot, and 100 MB of memory are free: "
            "1920 tokens would fit.",
        ),
        (
            50_000,
            1000,
            "M needs 409600 MB for 8192 tokens of context in 1000 slots, and 100 MB of memory are "
            "free.",
        ),
    ],
)
def test_a_cache_that_is_too_large(token: int, slots: int, sentence: str) -> None:
    with pytest.raises(LoadError) as found:
        require_cache("M", token, 8192, slots)
    assert str(found.value) == sentence


@pytest.mark.usefixtures("_free")
def test_weights_that_are_too_large(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    with path.open("wb") as file:
        file.truncate(300_000_000)
    with pytest.raises(LoadError) as found:
        require_weights("M", [path, tmp_path / "absent"])
    wanted = "M needs 300 MB for its weights, and 100 MB of memory are free."
    assert str(found.value) == wanted


def test_what_fits_or_is_not_known_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "available_bytes", lambda: None)
    require_cache("M", 50_000, 8192, 1000)
    monkeypatch.setattr(room, "available_bytes", lambda: 10**12)
    require_cache("M", 50_000, 8192, 1000)
    assert context_of("M", 8192, 0) == 8192
    assert context_of("M", 0, 512) == 512


@pytest.mark.parametrize(
    ("trained", "wanted", "sentence"),
    [
        (100, 200, "M was made for 100 tokens of context, not for 200."),
        (0, 0, "M names no length of its context: set one."),
    ],
)
def test_contexts_that_cannot_be(trained: int, wanted: int, sentence: str) -> None:
    with pytest.raises(LoadError) as found:
        context_of("M", trained, wanted)
    assert str(found.value) == sentence

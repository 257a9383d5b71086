"""Providers that a user misspells."""

from __future__ import annotations

import pytest

from studio.api import UsageError
from studio.deployment.providers import named_parts, refuse_unknown_providers


@pytest.mark.parametrize("text", ["", "auto", "cpu", "tensorrt,cuda:1", "qnn;htp_arch=73"])
def test_known_ones_pass(text: str) -> None:
    refuse_unknown_providers(text)


@pytest.mark.parametrize("text", ["gpu", "tensor rt", "cuda;x=../y", "auto,cuda"])
def test_others_are_one_sentence(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        refuse_unknown_providers(text)
    assert caught.value.message.count(".") <= 3
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(("text", "parts"), [(None, set()), ("otlp, grpc", {"grpc", "otlp"})])
def test_parts_of_the_runtime(text: str | None, parts: set[str]) -> None:
    assert named_parts(text) == parts


def test_an_unknown_part_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="no part 'smell'") as refused:
        named_parts("otlp,smell")
    assert "grpc" in refused.value.hint

"""Numbers are taken out of messages by their paths, and messages without them are refused."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np
import pytest

from studio.runtime.apps.settings import AppError
from studio.runtime.apps.sinks.mqtt import MqttSettings, MqttSink
from studio.runtime.apps.sources.mqtt import TYPES, MqttSourceSettings, numbers_of
from tests.unit.runtime.apps.parts import Context, event


@pytest.mark.parametrize(
    ("content", "paths", "found"),
    [
        (b"3.5", (), [[3.5]]),
        (b"[1, true]", (), [[1, 1]]),
        (b'{"a": {"b": [1, 2]}, "c": 3}', ("c", "a.b.1"), [[3, 2]]),
    ],
)
def test_numbers_are_one_sample(content: bytes, paths: tuple[str, ...], found: Any) -> None:
    numbers = numbers_of(content, paths)
    assert numbers.tolist() == found
    assert numbers.dtype == np.float32


@pytest.mark.parametrize(
    ("content", "paths"),
    [
        (b"", ()),
        (b"[]", ()),
        (b'"3"', ()),
        (b"NaN", ()),
        (b"1e400", ()),
        (b"1e39", ()),
        (b"[" * 100_000, ()),
        (b"\xff\xfe", ()),
        (b'{"a": 1}', ("b",)),
        (b'{"a": [1]}', ("a.1",)),
        (b'{"a": {"b": 1}}', ("a",)),
    ],
)
def test_a_message_without_its_numbers_is_refused(content: bytes, paths: tuple[str, ...]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # some sentences are those of the JSON reader
        numbers_of(content, paths)


@pytest.mark.parametrize("topic", ["", "a/#", "a/+/b", "{host}/x"])
def test_topics_that_cannot_be_published_to_are_refused(topic: str) -> None:
    with pytest.raises(AppError, match="is no topic"):
        MqttSink("a", MqttSettings("broker", topic=topic), Context())


def test_without_paho_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def imported(name: str, *rest: Any) -> Any:
        if name.startswith("paho"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", imported)
    with pytest.raises(OSError, match="needs the Python package paho-mqtt"):
        TYPES["mqtt"].open(MqttSourceSettings("broker", "topic"), Context())
    with pytest.raises(OSError, match="needs the Python package paho-mqtt"):
        MqttSink("a", MqttSettings("broker"), Context()).deliver([event()._replace(id="y-a-1")])

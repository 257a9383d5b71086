"""Both readers of named tuples: by annotation, and by the type of the default."""

from __future__ import annotations

import contextlib
import json
from typing import Any, NamedTuple, Optional

import pytest

from studio.runtime.release.intake.receive import ReceiveRequest
from studio.runtime.release.store.lease import Lease
from studio.runtime.serve.supervision.control import Message
from studio.runtime.shared.documents import read_record
from studio.runtime.shared.records import read
from studio.runtime.shared.sampling_config import SamplingConfig
from studio.runtime.shared.trial_request import TrialRequest

HOSTILE = ("1e999", "-1e999", "NaN", "null", "[]", "{}", '"x"', "true", "1" + 4000 * "0", "[[1]]")


class Part(NamedTuple):
    size: int
    ratio: float = 1.0


class Counted(NamedTuple):
    count: int = 0


class Whole(NamedTuple):
    name: str
    parts: tuple[Part, ...] = ()
    first: Optional[Part] = None  # noqa: UP045  # as the runtime's Python 3.8 writes it
    count: int = 0


def test_a_document_is_read_with_its_parts() -> None:
    document = {"name": "a", "parts": [{"size": "3", "later": 1}], "first": None, "unknown": 1}
    assert read_record(Whole, document) == Whole("a", (Part(3),))
    assert read(Part, {"size": 3, "ratio": None}) == Part(3, 1.0)


BY_ANNOTATION = [(read_record, form) for form in (Whole, Part, Message, SamplingConfig)]
BY_DEFAULT = [(read, form) for form in (Whole, Part, TrialRequest, ReceiveRequest, Lease)]


@pytest.mark.parametrize(("reader", "form"), [*BY_ANNOTATION, *BY_DEFAULT])
@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_value_is_read_or_refused(reader: Any, form: Any, text: str) -> None:
    valid = {name: form._field_defaults.get(name, 1) for name in form._fields}
    for name in form._fields:
        document = {**json.loads(json.dumps(valid)), name: json.loads(text)}
        with contextlib.suppress(KeyError, TypeError, ValueError):
            assert isinstance(reader(form, document), form)


@pytest.mark.parametrize("reader", [read_record, read])
def test_an_infinite_number_is_refused(reader: Any) -> None:
    with pytest.raises(ValueError, match="too large"):
        reader(Counted, json.loads('{"count": 1e999}'))

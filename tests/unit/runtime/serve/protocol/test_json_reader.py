"""Large JSON read in pieces: the same as Python's own reader says, and the same refusals."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.runtime.serve.protocol import json_reader as json_pieces
from studio.runtime.serve.protocol.codec import parse_json
from studio.runtime.serve.protocol.json_reader import Numbers, PieceReader

DECODER = json.JSONDecoder()
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text('a,[]{}":\\é', max_size=5)
)
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.text('ab"', max_size=2), inner),
    max_leaves=30,
)


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces of a few bytes, so that every document has many."""
    monkeypatch.setattr(json_pieces, "_PLAIN", json_pieces.re.compile(r'[^"{]{0,9}'))


def listed(value: Any) -> Any:
    """The document with lists for ``Numbers``."""
    if isinstance(value, Numbers):
        return value.listed()
    if isinstance(value, dict):
        return {key: listed(one) for key, one in value.items()}
    return [listed(one) for one in value] if isinstance(value, list) else value


def flattened(value: Any) -> Any:
    """The document with the values of each list in their order: long rows come in pieces."""
    if isinstance(value, dict):
        return {key: flattened(one) for key, one in value.items()}
    if not isinstance(value, list):
        return value
    parts = [flattened(one) for one in value]
    return [one for part in parts for one in (part if isinstance(part, list) else [part])]


def read(text: str, tensors: str = "") -> Any:
    return listed(PieceReader(text, DECODER, tensors).read())


@pytest.mark.slow
@settings(deadline=None, max_examples=300)
@given(documents, st.sampled_from([None, 1]))
def test_it_reads_what_python_reads(document: Any, indent: int | None) -> None:
    text = json.dumps(document, indent=indent)
    wanted = json.loads(text)
    assert json.dumps(read(text)) == json.dumps(wanted)
    assert flattened(read(text, "a")) == flattened(wanted)


@settings(deadline=None, max_examples=500)
@given(st.text('[]{},:"12.e-a \n', max_size=30))
def test_it_refuses_what_python_refuses(text: str) -> None:
    try:
        wanted = json.loads(text)
    except ValueError:
        with pytest.raises((ValueError, RecursionError)):
            read(text)
    else:
        assert read(text) == wanted


def test_numbers_of_a_tensor_become_arrays() -> None:
    text = '{"inputs": [{"data": [1, 2, 3, 4.5, 6, 7, 8, 9]}]}'
    (entry,) = PieceReader(text, DECODER, "data").read()["inputs"]
    assert isinstance(entry["data"], Numbers)
    assert entry["data"].kinds == {int, float}
    assert read('{"data": [1, 2, 3, true, 4, 5, 6]}', "data") == {"data": [1, 2, 3, True, 4, 5, 6]}


def test_deep_and_countless_documents_are_refused() -> None:
    with pytest.raises(RecursionError):
        read("[" * 100_000)
    with pytest.raises(ValueError, match="more than 10000 objects"):
        read("[" + "{}," * 10_001 + "{}]", "data")
    assert len(read("[" + "{}," * 10_001 + "{}]")) == 10_002


@pytest.mark.slow
@pytest.mark.parametrize("flat", [True, False])
def test_a_large_request_is_read_in_pieces(flat: bool) -> None:
    values: list[Any] = [0.5, 2] * 40_000
    text = json.dumps({"data": values if flat else [[one] for one in values]})
    found = parse_json(text.encode() + b" " * 300_000, "data")
    assert isinstance(found["data"], Numbers)
    assert listed(found) == json.loads(text)


@pytest.mark.parametrize("text", ["[[1, 2, 3, 4, 5, 6, 7, 8], [9, 10]]", "[[1],[2],[3, 4],[[5]]]"])
def test_rows_come_in_their_order(text: str) -> None:
    found = PieceReader(f'{{"data": {text}}}', DECODER, "data").read()["data"]
    if isinstance(found, Numbers):
        assert np.concatenate([one.reshape(-1) for one in found.pieces]).tolist() == [*range(1, 11)]
    else:
        assert found == json.loads(text)

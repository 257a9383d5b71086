"""Cache of the JSON in front of binary tensors: clients send the same again and again."""

from __future__ import annotations

from typing import Any, Dict, Hashable, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from ..http.message import Body

_KEPT = 64
_KEPT_BYTES = 4096
_KEPT_STARTS = 16


class RequestedOutput(NamedTuple):
    """Output that the client requests, in binary or JSON form."""

    name: str
    binary: bool


class InputSlot(NamedTuple):
    """Position and type of an input behind the JSON.

    Attributes:
        begin: Bytes between the end of the JSON and the input.
        size: Number of elements.
    """

    name: str
    dtype: np.dtype
    begin: int
    size: int
    shape: Tuple[int, ...]

    def array(self, body: Any, offset: int) -> np.ndarray:
        """It, in a body whose JSON ends at an offset; without a copy."""
        return np.frombuffer(body, self.dtype, self.size, offset + self.begin).reshape(self.shape)


class AnswerHead(NamedTuple):
    """The beginning of an answer: the constant lines of its head, and its JSON."""

    head: bytes
    json: bytes


class RequestTemplate:
    """Request with binary numeric inputs, without their values.

    Attributes:
        text: The JSON; empty while it is not kept.
        slots: The inputs.
        size: Bytes of all inputs.
        batch: Size of the first dimension of the first input.
        kind: Key shared by requests that can run together; None when none can.
        binary: All outputs are wanted as binary.
        starts: Beginnings of answers, by the shapes of the outputs.
    """

    def __init__(
        self,
        slots: Sequence[InputSlot],
        wanted: List[RequestedOutput],
        size: int,
        batch: int,
        kind: Optional[Hashable],
    ) -> None:
        self.slots = tuple(slots)
        self.text = b""
        self.wanted = wanted
        self.size = size
        self.batch = batch
        self.kind = kind
        self.binary = all(output.binary for output in wanted)
        self.starts: Dict[Tuple[Any, ...], AnswerHead] = {}

    def feeds(self, body: Body, offset: int) -> Dict[str, np.ndarray]:
        """Return the inputs of a body whose JSON ends at an offset, where possible as views."""
        found = {}
        for name, dtype, begin, size, shape in self.slots:
            array = np.frombuffer(body, dtype, size, offset + begin)
            if not array.flags.aligned:
                array = array.copy()
            found[name] = array.reshape(shape)
        return found

    def store_head(self, shapes: Tuple[Any, ...], start: AnswerHead) -> None:
        """Cache the beginning of an answer."""
        if len(self.starts) >= _KEPT_STARTS:
            self.starts.clear()
        self.starts[shapes] = start


class RequestTemplates:
    """Cache of the templates of one served version, by their JSON."""

    def __init__(self) -> None:
        self._known: Dict[bytes, RequestTemplate] = {}

    def find(self, text: bytes) -> Optional[RequestTemplate]:
        """Return the plan for this JSON, if it has come before."""
        return self._known.get(text)

    def store(self, text: bytes, plan: RequestTemplate) -> None:
        """Cache a template; only a few, and none that is large."""
        if len(text) > _KEPT_BYTES:
            return
        if len(self._known) >= _KEPT:  # a client sends ever new ones
            self._known.clear()
        self._known[text] = plan
        plan.text = text

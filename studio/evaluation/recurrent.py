"""Models with a state: inputs that are fed with what the model gave for the sample before.

Samples must then follow each other as they do in use; the first one of a pass meets a state of
zeros.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

import numpy

from studio.api import Array, Dataset, Feeds, Sample, Session, UsageError, Value


def pairs(
    wanted: Sequence[str], inputs: Sequence[Value], outputs: Sequence[Value]
) -> dict[str, str]:
    """Return the output that feeds each state, from ``INPUT=OUTPUT`` words.

    Raises:
        UsageError: for a word of another form, or a name that the model does not have.
    """
    known = [value.name for value in inputs], [value.name for value in outputs]
    found: dict[str, str] = {}
    for word in wanted:
        name, sign, output = word.partition("=")
        if not sign:
            raise UsageError(
                f"A state is given as INPUT=OUTPUT, not {word!r}.",
                hint=f"Inputs: {', '.join(known[0])}; outputs: {', '.join(known[1])}.",
            )
        for kind, each, names in (("input", name, known[0]), ("output", output, known[1])):
            if each not in names:
                raise UsageError(f"The model has no {kind} {each!r}; it has {', '.join(names)}.")
        found[name] = output
    return found


def start(values: Sequence[Value], names: Mapping[str, str]) -> dict[str, Array]:
    """Return a state of zeros for these inputs, with one for each dynamic size.

    Raises:
        UsageError: when the type of one is not known.
    """
    state: dict[str, Array] = {}
    for value in values:
        if value.name in names:
            if value.type is None or value.type.shape is None:
                raise UsageError(f"The shape of the state {value.name!r} is not known.")
            shape = [size if isinstance(size, int) and size > 0 else 1 for size in value.type.shape]
            state[value.name] = numpy.zeros(shape, value.type.dtype)
    return state


class Stateful:
    """A session that keeps the state from one run to the next."""

    def __init__(self, session: Session, fed: Mapping[str, str], state: Feeds) -> None:
        self._session, self._fed, self._state = session, fed, dict(state)
        self.input_names = tuple(name for name in session.input_names if name not in fed)
        self.output_names = session.output_names

    def run(self, feeds: Feeds, outputs: Sequence[str] | None = None) -> dict[str, Array]:
        """Run once, and keep what the next run is fed with."""
        names = self.output_names if outputs is None else outputs
        # The outputs that feed the next run are always needed.
        wanted = list(dict.fromkeys([*names, *self._fed.values()]))
        found = self._session.run({**feeds, **self._state}, wanted)
        self._state = {name: found[output] for name, output in self._fed.items()}
        return {name: found[name] for name in names}

    def close(self) -> None:
        self._session.close()


class Unrolled:
    """Samples with the states that the float model has when it meets them."""

    def __init__(
        self, dataset: Dataset, session: Session, fed: Mapping[str, str], state: Feeds
    ) -> None:
        self._dataset, self._session, self._fed, self._state = dataset, session, fed, state

    def __len__(self) -> int:
        return len(self._dataset)

    def __iter__(self) -> Iterator[Sample]:
        state = dict(self._state)
        for sample in self._dataset:
            feeds = {**sample.feeds, **state}
            yield Sample(feeds, sample.label, sample.name)
            found = self._session.run(feeds, list(self._fed.values()))
            state = {name: found[output] for name, output in self._fed.items()}


class Span:
    """Samples of a dataset that follow each other."""

    def __init__(self, dataset: Dataset, first: int, stop: int) -> None:
        self._dataset, self._first = dataset, first
        self._stop = min(stop, len(dataset))

    def __len__(self) -> int:
        return max(0, self._stop - self._first)

    def __iter__(self) -> Iterator[Sample]:
        return islice(iter(self._dataset), self._first, self._stop)

"""The search: what each type costs each group of weights, and the best choice under a budget."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from studio_llama_cpp.tool_budgets import SearchRefused, least_within, within_time
from studio_llama_cpp.tool_choice import TypeChoice, best, frontier
from studio_llama_cpp.tool_layers import completed, measured
from studio_llama_cpp.tool_library import TYPES, Array, Gguf, Library
from studio_llama_cpp.tool_measure import WINDOW, Divergence, Inputs, inputs, interval, windows
from studio_llama_cpp.tool_model import FloatModel
from studio_llama_cpp.tool_speed import Speeds
from studio_llama_cpp.tool_types import round_to
from studio_llama_cpp.tool_weighing import weighing

KINDS = ("Q3_K", "Q4_K", "IQ4_NL", "Q4_0", "Q4_1", "Q5_0", "Q5_K", "Q5_1", "Q6_K", "Q8_0", "F16")
"""Types that the search chooses from."""

_PROBE = "Q4_0"
"""Type whose cost is measured; those of the others follow from their errors."""

LEARNED, _PROBED, _JUDGED = 16, 3, 6
"""Windows of text for the inputs of the layers, for the costs of types, and for the verdict."""

_PROBE_TOKENS = 96
"""Tokens of a window for the costs: short windows of many places of the text, not one long one."""

_ROWS = 128
"""Rows of a weight that errors of types are computed on."""

_MEGA = 1_000_000
_KEY, _GAP = 128, 32
"""Bytes of a key that rounded files have, with its gap, and at most between two tensors."""

_ATTEMPTS = 4
_CLOSE = 0.85
"""Share of a limit from which on no smaller choice is looked for."""

Tell = Callable[..., None]


class Goal(NamedTuple):
    """A budget that the model keeps to: one of these.

    Attributes:
        megabytes: Size of the file at most, in millions of bytes.
        kl: Divergence from the float model at most, in nats of a token.
        speed: Tokens that are written in a second on this machine, at least.
    """

    megabytes: float | None
    kl: float | None
    speed: float | None = None


class TextParts(NamedTuple):
    """Windows of tokens, no window in two of the parts."""

    learned: list[list[int]]
    probed: list[list[int]]
    judged: list[list[int]]


class Search:
    """A search on one model and one text."""

    def __init__(self, source: Path, folder: Path, text: str) -> None:
        self._library = library = Library()
        try:
            self._file = Gguf(library, source)
        except ValueError as error:
            raise SearchRefused(f"{error}.") from error
        self._shapes = {n: t.shape for n, t in self._file.tensors.items() if len(t.shape) > 1}
        if any(len(shape) > 2 for shape in self._shapes.values()):
            raise SearchRefused(
                "Mixtures of experts are not searched yet: their weights have 3 axes."
            )
        self._wide = folder / "wide.gguf"
        self._widen()
        try:
            self._model = FloatModel(library, self._wide, len(os.sched_getaffinity(0)), WINDOW)
        except ValueError as error:
            raise SearchRefused(f"{error}.") from error
        self._texts = self._divide(text)

    def close(self) -> None:
        """Remove the copy in float32."""
        self._wide.unlink(missing_ok=True)

    def run(self, goal: Goal, output: Path, tell: Tell) -> dict[str, Any]:
        """Write the best model within a goal; return its figures and its types by group."""
        found = inputs(self._model, self._texts.learned, lambda text: tell(0, 0, text))
        shared = self._groups(found)
        products = self._products(found, shared)
        costs = self._probe([name for names in shared.values() for name in names], tell)
        choices = self._choices(shared, products, costs, tell)
        groups, products = {name: [name] for name in costs}, _alone(products, shared)
        chosen, values, judged = self._reach(goal, groups, products, choices, tell)
        size, kl = self._file.write(output, values), float(judged.mean())
        expected = max(sum(one.cost for one in chosen.values()), 1e-12)
        fixed = size - sum(one.size for one in chosen.values())
        rounded_types = {
            name: [c for c in many if c.kind != "F16"] for name, many in choices.items()
        }
        return {
            "bytes": size,
            "kl": kl,
            "sizes": [
                {"bytes": fixed + held, "kl": cost * kl / expected}
                for held, cost in frontier(rounded_types)
            ],
            "kl_interval": interval(judged),
            "tokens": judged.size,
            "groups": [
                {
                    "name": name,
                    "weights": sum(int(np.prod(self._shapes[one])) for one in groups[name]),
                    "type": one.kind,
                    "bytes": one.size,
                    "kl": one.cost,
                }
                for name, one in chosen.items()
            ],
        }

    def _widen(self) -> None:
        """Write the model in float32, which the measurements replace values of."""
        write_wide(self._library, self._file, self._wide)

    def _divide(self, text: str) -> TextParts:
        """Return the windows of a text: the last quarter judges, and what is before it chooses."""
        cut = len(text) * 3 // 4
        try:
            seen = windows(self._model, text[:cut], LEARNED + _PROBED)
            judged = windows(self._model, text[cut:], _JUDGED)
        except ValueError as error:
            raise SearchRefused(f"Each quarter of the text needs one window: {error}.") from error
        if len(seen) < 2:
            raise SearchRefused(f"The text is too short: {4 * WINDOW} tokens are the least.")
        step = max(2, -(-len(seen) // _PROBED))
        probed = seen[step // 2 :: step]
        learned = [one for one in seen if one not in probed]
        return TextParts(learned, [one[:_PROBE_TOKENS] for one in probed], judged)

    def _weights(self, name: str) -> Array:
        one = self._file.tensors[name]
        return self._library.widen(self._file.content(name), one.type, one.shape)

    def _groups(self, found: Inputs) -> dict[str, list[str]]:
        """Return the weights that share an input."""
        groups = {first: list(dict.fromkeys(names)) for first, names in found.groups.items()}
        known = {name for names in groups.values() for name in names}
        for name in self._shapes:
            if name not in known and self._model.holds(name):
                groups[name] = [name]
        return groups

    def _products(self, found: Inputs, groups: Mapping[str, Sequence[str]]) -> dict[str, Array]:
        """Return products of inputs by group, in a scale of their own.

        A table of tokens is read row by row too, where all columns count the same.
        """
        products = {}
        for first, names in groups.items():
            columns = self._shapes[first][1]
            plain = np.eye(columns, dtype=np.float32)
            known = found.products.get(first)
            if known is None:
                products[first] = plain
                continue
            scale = np.float32(columns / max(float(np.trace(known)), 1e-30))
            table = any(name.startswith("token_embd") for name in names)
            products[first] = known * scale + plain * np.float32(table)
        return products

    def _probe(self, names: Sequence[str], tell: Tell) -> dict[str, float]:
        """Return the divergence that each weight alone costs in the type of the probe."""
        divergence = Divergence(self._model, self._texts.probed, 2)
        costs = {}
        some = measured(names)
        for number, name in enumerate(some):
            tell(number, len(some), f"Measuring {name}")
            weights = self._weights(name)
            self._model.put(name, self._plain(weights, _PROBE))
            costs[name] = max(divergence.mean(), 1e-7)
            self._model.put(name, weights)
        return completed(costs, names)

    def _plain(self, weights: Array, kind: str) -> Array:
        number = TYPES[kind]
        return self._library.widen(self._library.round(weights, number), number, weights.shape)

    def _choices(
        self,
        groups: Mapping[str, Sequence[str]],
        products: Mapping[str, Array],
        costs: Mapping[str, float],
        tell: Tell,
    ) -> dict[str, list[TypeChoice]]:
        """Return size and expected cost of each type that fits the rows of a weight."""
        errors: dict[str, dict[str, float]] = {kind: {} for kind in KINDS}
        some = measured(tuple(groups))
        for number, first in enumerate(some):
            tell(number, len(some), f"Comparing types for {first}")
            for kind, many in self._errors(groups[first], products[first]).items():
                errors[kind] |= many
        whole = {kind: completed(many, tuple(costs)) for kind, many in errors.items() if many}
        return {
            name: [
                TypeChoice(kind, size, costs[name] * whole[kind][name])
                for kind, size in self._sizes([name]).items()
                if kind in whole
            ]
            for name in costs
        }

    def _sizes(self, names: Sequence[str]) -> dict[str, int]:
        """Return the bytes of weights in each type that fits all of them."""
        shapes = [self._shapes[name] for name in names]
        return {
            kind: sum(self._library.size(TYPES[kind], shape) for shape in shapes)
            for kind in KINDS
            if all(self._library.fits(TYPES[kind], shape) for shape in shapes)
        }

    def _errors(self, names: Sequence[str], products: Array) -> dict[str, dict[str, float]]:
        """Return the error of each type and weight over that of the probe, from some rows."""
        weighed, parts = weighing(products), [self._sample(name) for name in names]
        rows, ends = np.concatenate(parts), np.cumsum([len(one) for one in parts])[:-1]

        def errors(values: Array) -> Array:
            squared = np.split(_squared(values - rows, products), ends)
            return np.array([max(float(one.sum()), 1e-30) for one in squared])

        probe = errors(self._plain(rows, _PROBE))
        return {
            kind: dict(
                zip(
                    names,
                    errors(round_to(rows, kind, weighed, self._library)[1]) / probe,
                    strict=True,
                )
            )
            for kind in self._sizes(names)
        }

    def _sample(self, name: str) -> Array:
        whole = self._weights(name)
        return whole[:: -(-len(whole) // _ROWS)]

    def _reach(
        self,
        goal: Goal,
        groups: Mapping[str, Sequence[str]],
        products: Mapping[str, Array],
        choices: Mapping[str, Sequence[TypeChoice]],
        tell: Tell,
    ) -> tuple[dict[str, TypeChoice], dict[str, tuple[int, Array]], Array]:
        """Return the choice within a goal, the weights in it, and the verdict of each token."""
        fixed = self._fixed(choices)
        if goal.megabytes is not None:
            try:
                chosen = best(choices, goal.megabytes * _MEGA - fixed)
            except ValueError as error:
                least = (int(str(error).split()[0]) + fixed) / _MEGA
                raise SearchRefused(
                    f"{goal.megabytes:g} MB are too little for this model; the smallest types "
                    f"need {least:.3g} MB."
                ) from error
            values = self._rounded(chosen, groups, products, tell)
            return chosen, values, self._judge(values, tell)
        if goal.speed is not None:
            return self._fast(goal.speed, groups, products, choices, tell)
        return self._within(goal.kl or 0.0, groups, products, choices, tell)

    def _fast(
        self,
        least: float,
        groups: Mapping[str, Sequence[str]],
        products: Mapping[str, Array],
        choices: Mapping[str, Sequence[TypeChoice]],
        tell: Tell,
    ) -> tuple[dict[str, TypeChoice], dict[str, tuple[int, Array]], Array]:
        """Return the most accurate choice whose measured speed is enough."""
        names = [name for group in groups.values() for name in group]
        speeds = Speeds(self._library, self._file, self._wide.parent, names)
        seconds = speeds.seconds(KINDS, lambda text: tell(0, 0, text))
        room = 1e12 / least
        for _ in range(_ATTEMPTS):
            chosen = within_time(choices, groups, self._shapes, seconds, room)
            values = self._rounded(chosen, groups, products, tell)
            measured = 1 / speeds.of(values)
            if measured >= least:
                return chosen, values, self._judge(values, tell)
            room *= 0.97 * measured / least
        raise SearchRefused(
            f"No choice of types wrote {least:g} tokens a second; {measured:.1f} were reached."
        )

    def _fixed(self, choices: Mapping[str, Sequence[TypeChoice]]) -> int:
        """Return the bytes of the file without the groups, with the gaps of another file."""
        chosen = {name for name in self._shapes if self._model.holds(name)}
        rest = self._file.size - sum(self._file.tensors[name].size for name in chosen)
        return rest + _KEY + _GAP * len(self._file.tensors)

    def _within(
        self,
        limit: float,
        groups: Mapping[str, Sequence[str]],
        products: Mapping[str, Array],
        choices: Mapping[str, Sequence[TypeChoice]],
        tell: Tell,
    ) -> tuple[dict[str, TypeChoice], dict[str, tuple[int, Array]], Array]:
        """Return the smallest of a few choices whose measured divergence is within a limit.

        The expected costs only order the choices: each attempt corrects them by what the text of
        the costs measured, and the verdict comes last.
        """
        divergence = Divergence(self._model, self._texts.probed, 2)
        scale, measured = 1.0, 0.0
        kept: tuple[dict[str, TypeChoice], dict[str, tuple[int, Array]]] | None = None
        for _ in range(_ATTEMPTS):
            chosen = least_within(choices, limit / scale)
            values = self._rounded(chosen, groups, products, tell)
            measured = self._with(values, divergence.mean)
            if measured <= limit and (kept is None or _size(chosen) < _size(kept[0])):
                kept = (chosen, values)
            if _CLOSE * limit <= measured <= limit:
                break
            expected = sum(one.cost for one in chosen.values())
            scale = max(1.03 * measured / max(expected, 1e-12), 1e-6)
        if kept is None:
            raise SearchRefused(
                f"No choice of types was within a KL of {limit:g}; {measured:.4f} was reached."
            )
        return (*kept, self._judge(kept[1], tell))

    def _rounded(
        self,
        chosen: Mapping[str, TypeChoice],
        groups: Mapping[str, Sequence[str]],
        products: Mapping[str, Array],
        tell: Tell,
    ) -> dict[str, tuple[int, Array]]:
        """Return number of the type and bytes of each weight."""
        found = {}
        for number, (first, one) in enumerate(chosen.items()):
            tell(number, len(chosen), f"Rounding {first} to {one.kind}")
            weighed = weighing(products[first])
            for name in groups[first]:
                blocks, _ = round_to(self._weights(name), one.kind, weighed, self._library)
                found[name] = (TYPES[one.kind], blocks)
        return found

    def _with(self, values: Mapping[str, tuple[int, Array]], measure: Callable[[], Any]) -> Any:
        """Measure with other weights, and put the float ones back."""
        try:
            for name, (kind, blocks) in values.items():
                self._model.put(name, self._library.widen(blocks, kind, self._shapes[name]))
            return measure()
        finally:
            for name in values:
                self._model.put(name, self._weights(name))

    def _judge(self, values: Mapping[str, tuple[int, Array]], tell: Tell) -> Array:
        tell(0, 0, "Measuring the divergence on text that no choice has seen")
        verdict: Array = self._with(values, Divergence(self._model, self._texts.judged).of_model)
        return verdict


def write_wide(library: Library, file: Gguf, path: Path) -> None:
    """Write a model in float32."""
    kinds = {name: one.type for name, one in file.tensors.items()}
    content = {
        name: (0, library.widen(file.content(name), one.type, one.shape).view(np.uint8))
        for name, one in file.tensors.items()
    }
    file.write(path, content)
    file.retype(kinds)


def _alone(products: Mapping[str, Array], groups: Mapping[str, Sequence[str]]) -> dict[str, Array]:
    """Return the products of inputs by weight, from those by group."""
    return {name: products[first] for first, names in groups.items() for name in names}


def _size(chosen: Mapping[str, TypeChoice]) -> int:
    return sum(one.size for one in chosen.values())


def _squared(gap: Array, products: Array) -> Array:
    """Return the squared error of outputs that errors of weights leave, of each row."""
    squared: Array = np.einsum("ij,ij->i", gap @ products, gap)
    return squared

"""The check that an edited model gives the same numbers as the one before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy

from studio.api import Array, Feeds, InvalidModel, Session, TensorType, Value
from studio.datasets.synthetic import accepted_feeds
from studio.lazy_dataclass import dataclass
from studio.models.surgery.results import Equality

_SAMPLES = 3
_RELATIVE = 1e-4
_ABSOLUTE = 1e-5


@dataclass(frozen=True, slots=True)
class EditFacts:
    """Facts of an edit from its transform.

    Attributes:
        text: What was done.
        equal: Whether the model must give the same numbers.
        inputs, outputs: The new names of those of the model before.
        constants: Values of inputs of the model before that are none any more.
    """

    text: object = ""
    equal: object = None
    inputs: Mapping[str, str] | None = None
    outputs: Mapping[str, str] | None = None
    constants: Mapping[str, object] | None = None


def check(
    before: Session,
    after: Session,
    inputs: tuple[Sequence[Value], Sequence[Value]],
    facts: EditFacts,
) -> Equality:
    """Run both on made-up inputs that both accept.

    Args:
        inputs: Those of the model before, and of the edited one.

    Raises:
        InvalidModel: when the numbers differ, or the edited model does not run.
    """
    renamed, renamed_out = facts.inputs or {}, facts.outputs or {}
    old_names = {renamed.get(value.name, value.name): value.name for value in inputs[0]}
    if not before.output_names or not {value.name for value in inputs[1]} <= old_names.keys():
        return Equality(0.0, 0)
    feeds = _feeds(after, _common(inputs[0], inputs[1], renamed))
    fixed = _constants(inputs[0], facts)
    worst, compared = 0.0, 0
    for one in feeds:
        asked = {**fixed, **{old_names[name]: array for name, array in one.items()}}
        if set(before.input_names) - asked.keys():
            return Equality(0.0, 0)  # an input that nothing needed has gone
        wanted, found = before.run(asked), after.run(one)
        for name, array in wanted.items():
            new = renamed_out.get(name, name)
            if new in found:
                worst = max(worst, _difference(name, array, found[new]))
                compared += 1
    return Equality(worst, len(feeds) if compared else 0)


def _common(
    before: Sequence[Value], after: Sequence[Value], renamed: Mapping[str, str]
) -> list[Value]:
    """Return the edited model's inputs, with the sizes that either model fixes."""
    types = {renamed.get(value.name, value.name): value.type for value in before}
    return [Value(value.name, _fixed(value.type, types[value.name])) for value in after]


def _constants(before: Sequence[Value], facts: EditFacts) -> Feeds:
    values = facts.constants or {}
    types = {one.name: one.type.dtype for one in before if one.type}
    return {name: numpy.array(value, types[name]) for name, value in values.items()}


def _fixed(one: TensorType | None, other: TensorType | None) -> TensorType | None:
    if one is None or other is None or one.shape is None or other.shape is None:
        return one or other
    sizes = zip(one.shape, other.shape, strict=False)
    return TensorType(one.dtype, tuple(y if isinstance(y, int) else x for x, y in sizes))


def _feeds(session: Session, inputs: Sequence[Value]) -> list[Feeds]:
    """Return inputs that the model accepts.

    Raises:
        InvalidModel: when it accepts none; the reason is in the detail.
    """
    try:
        return accepted_feeds(session, inputs, _SAMPLES)
    except InvalidModel as error:
        raise InvalidModel(
            f"The edited model does not run: {error.message}", hint="The edit was discarded."
        ) from None


def _difference(name: str, wanted: Array, found: Array) -> float:
    if wanted.shape != found.shape:
        raise InvalidModel(
            f"The output {name!r} has another shape after the edit: "
            f"{found.shape}, not {wanted.shape}."
        )
    if wanted.dtype.kind not in "fiub":
        if not numpy.array_equal(wanted, found):
            raise InvalidModel(f"The output {name!r} is another one after the edit.")
        return 0.0
    one, other = wanted.astype(numpy.float64), found.astype(numpy.float64)
    if not numpy.allclose(other, one, rtol=_RELATIVE, atol=_ABSOLUTE, equal_nan=True):
        worst = float(numpy.nanmax(numpy.abs(other - one)))
        raise InvalidModel(
            f"The output {name!r} differs after the edit, by up to {worst:.3g}.",
            hint="The edit was discarded.",
        )
    return float(numpy.nanmax(numpy.abs(other - one), initial=0.0))

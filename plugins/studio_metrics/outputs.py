"""The choice of the output that a metric looks at."""

from __future__ import annotations

from collections.abc import Mapping

from studio.api import Array, InvalidData, Option

OUTPUT = Option(
    "output",
    help="Name of the output that is scored; without one, the model's first.",
    advanced=True,
)


def chosen(outputs: Mapping[str, Array], name: str | None) -> Array:
    """The named output, or the first.

    Raises:
        InvalidData: when there is none of this name.
    """
    if name is None:
        return next(iter(outputs.values()))
    if name not in outputs:
        raise InvalidData(
            f"The model has no output {name!r} to be scored; it has {', '.join(outputs)}."
        )
    return outputs[name]

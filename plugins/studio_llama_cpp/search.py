"""The search of precisions as a method of quantization, in the environment of llama.cpp."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from studio.api import (
    Dataset,
    InvalidData,
    InvalidModel,
    Kind,
    Option,
    Progress,
    Toolchain,
    Transformed,
    validate,
)

TOOL = Path(__file__).with_name("tool.py")
BUDGETS = ("megabytes", "kl", "tokens_per_second")


class PrecisionSearch:
    """The transform. It chooses a type of llama.cpp for each group of weights."""

    id = "gguf-search"
    title = "types of llama.cpp, searched"
    needs_data = False
    options: Sequence[Option] = (
        Option("text", Kind.FILE, default=None, help="Text that the types are chosen on."),
        Option(
            "megabytes",
            Kind.NUMBER,
            default=None,
            minimum=0.001,
            maximum=1_000_000,
            help="Size of the file at most, in millions of bytes.",
        ),
        Option(
            "kl",
            Kind.NUMBER,
            default=None,
            minimum=0.000001,
            maximum=100,
            help="Divergence from the float model at most, in nats of a token.",
        ),
        Option(
            "tokens_per_second",
            Kind.NUMBER,
            default=None,
            minimum=0.001,
            maximum=1_000_000,
            help="Tokens that are written in a second on this machine, at least.",
        ),
    )

    def __init__(self, toolchain: Toolchain) -> None:
        self._toolchain = toolchain

    def version(self) -> str:
        """Return llama.cpp's version; raise Unavailable without its environment."""
        return self._toolchain.version("llama-cpp-py-sync")

    def apply(
        self,
        source: Path,
        output: Path,
        options: Mapping[str, Any],
        data: Dataset | None,
        progress: Progress,
    ) -> Transformed:
        """Write the model in the chosen types.

        Raises:
            InvalidData: without a text, or a budget.
            InvalidModel: for a model, text or budget that does not fit, in one sentence.
        """
        values = validate(self.options, options)
        if values["text"] is None:
            raise InvalidData("The search of types needs a text.", hint="Pass --data TEXT.txt.")
        goal = {name: values[name] for name in BUDGETS if values[name] is not None}
        if len(goal) != 1:
            raise InvalidData(
                "The search of types needs one budget.",
                hint="Pass --megabytes, --kl or --tokens-per-second.",
            )
        self.version()
        request = {
            "source": str(source),
            "output": str(output),
            "folder": str(output.parent),
            "text": str(values["text"]),
            **goal,
        }
        facts = dict(self._toolchain.run(TOOL, request, output.parent, progress))
        if "error" in facts:
            raise InvalidModel(str(facts["error"]))
        groups = facts["groups"]
        layers = [
            {"name": one["name"], "operator": "MatMul", "precision": one["type"]} for one in groups
        ]
        return Transformed(output, precision_of(groups), facts, layers)


def precision_of(groups: Sequence[Mapping[str, Any]]) -> str:
    """Return the width of a weight on average, as the name of a precision."""
    weights = sum(int(one["weights"]) for one in groups)
    stored = sum(int(one["bytes"]) for one in groups)
    return f"int{max(2, round(8 * stored / max(weights, 1)))}"

"""One type of llama.cpp throughout, or one of its mixtures, as a method of quantization."""

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
from studio_llama_cpp.search import TOOL, precision_of

MIXTURES = (
    *("Q8_0", "Q6_K", "Q5_K_M", "Q5_K_S", "Q5_0", "Q5_1", "Q4_K_M", "Q4_K_S", "Q4_0", "Q4_1"),
    *("IQ4_NL", "IQ4_XS", "Q3_K_M", "Q2_K"),
)
UNIFORM = ("Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "IQ4_NL")
"""Types that GPTQ and AWQ write."""

NEAREST, GPTQ, AWQ = "nearest", "gptq", "awq"
_TITLES = {GPTQ: "GPTQ", AWQ: "AWQ"}


class TypePreset:
    """The transform. It writes the mixtures that llama.cpp's own program writes."""

    id = "gguf-types"
    title = "a type of llama.cpp"
    needs_data = False
    options: Sequence[Option] = (
        Option(
            "type",
            Kind.CHOICE,
            default="Q4_K_M",
            choices=MIXTURES,
            help="Type of the weights, or mixture of types, by its name in llama.cpp.",
        ),
        Option(
            "rounding",
            Kind.CHOICE,
            default=NEAREST,
            choices=(NEAREST, GPTQ, AWQ),
            help="nearest rounds each block for itself; gptq carries errors to later columns; awq "
            "scales columns by their inputs.",
        ),
        Option("text", Kind.FILE, default=None, help="Text that shows which errors count."),
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
        """Write the model in the type.

        Raises:
            InvalidData: for GPTQ or AWQ without a text, or with a type that they do not write.
            InvalidModel: for a model or text that does not fit, in one sentence.
        """
        values = validate(self.options, options)
        if values["rounding"] in _TITLES:
            _check_uniform(values)
        self.version()
        text = values["text"]
        request = {
            "source": str(source),
            "output": str(output),
            "folder": str(output.parent),
            "text": None if text is None else str(text),
            "type": values["type"],
            "rounding": values["rounding"],
        }
        facts = dict(self._toolchain.run(TOOL, request, output.parent, progress))
        if "error" in facts:
            raise InvalidModel(str(facts["error"]))
        groups = facts["groups"]
        layers = [
            {"name": one["name"], "operator": "MatMul", "precision": one["type"]} for one in groups
        ]
        return Transformed(output, precision_of(groups), facts, layers)


def _check_uniform(values: Mapping[str, Any]) -> None:
    title = _TITLES[values["rounding"]]
    if values["type"] not in UNIFORM:
        raise InvalidData(
            f"{title} does not write the type {values['type']}.",
            hint=f"Known: {', '.join(UNIFORM)}.",
        )
    if values["text"] is None:
        raise InvalidData(f"{title} needs a text.", hint="Pass --data TEXT.txt.")

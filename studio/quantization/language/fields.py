"""Attributes of the options of ``evaluate`` that are for language models alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from studio.api import Kind

TASK_SETS = ("everyday", "facts", "structured", "prompts")
"""Task sets for language models that come with the studio."""

_Attributes = Mapping[str, Any]

REFERENCE: Final[_Attributes] = {
    "kind": Kind.MODEL,
    "help": "Language model to compare with, such as the float model.",
}
TASKS: Final[_Attributes] = {
    "kind": Kind.CHOICE,
    "choices": TASK_SETS,
    "title": "Task sets",
    "help": "Task sets for language models (default without data: all).",
}
TASK_FILES: Final[_Attributes] = {
    "kind": Kind.FILE,
    "title": "Files of task sets",
    "help": "Your own task sets for language models, TOML or JSON lines.",
}
TOKENS: Final[_Attributes] = {
    "minimum": 64,
    "maximum": 1_000_000,
    "help": "Maximum number of scored tokens, spread evenly over the texts.",
    "advanced": True,
}
WINDOW: Final[_Attributes] = {
    "minimum": 16,
    "maximum": 131_072,
    "help": "Tokens of a window of a text. Half of them precede each scored token.",
    "advanced": True,
}
TEMPERATURE: Final[_Attributes] = {
    "minimum": 0,
    "maximum": 2,
    "help": "Temperature of the answers of a language model; 0 takes the most probable tokens.",
    "advanced": True,
}
SEED: Final[_Attributes] = {
    "minimum": 0,
    "maximum": 2**31,
    "help": "Seed of the answers at a temperature above 0.",
    "advanced": True,
}

"""A tool: a name, schemas, and the function that answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from studio.agent_tools.schemas import Schema
from studio.api import UsageError
from studio.lazy_dataclass import dataclass
from studio.workspace import Workspace

Arguments = Mapping[str, Any]
Answer = Callable[[Workspace, Arguments], Mapping[str, Any]]

LONGEST_ARGUMENT = 300
MOST_IN_LIST = 200
LARGEST = 2**63 - 1
"""Number that a column of a database holds."""

_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
}


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool of the server.

    Attributes:
        takes: Schema of the arguments: a flat object of texts, numbers, flags and lists of texts.
        gives: Schema of the result.
        reads: Whether it changes nothing outside of the folder of plans.
    """

    name: str
    title: str
    description: str
    takes: Schema
    gives: Schema
    answer: Answer
    reads: bool = True

    @property
    def document(self) -> dict[str, Any]:
        """The tool as the protocol lists it."""
        return {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "inputSchema": self.takes,
            "outputSchema": self.gives,
            "annotations": {"readOnlyHint": self.reads, "destructiveHint": not self.reads},
        }

    def checked(self, given: object) -> dict[str, Any]:
        """Return the arguments, compared with the schema.

        Raises:
            UsageError: when one is missing, unknown, or of another type.
        """
        if not isinstance(given, dict):
            raise UsageError(f"The arguments of {self.name} must be an object.")
        known = self.takes["properties"]
        for name in given:
            if name not in known:
                raise UsageError(f"{self.name} has no argument {str(name)[:40]!r}.")
        for name in self.takes["required"]:
            if name not in given:
                raise UsageError(f"{self.name} needs the argument {name}.")
        return {name: _value(name, known[name], value) for name, value in given.items()}


def _value(name: str, schema: Schema, value: object) -> object:
    kind = schema["type"]
    is_flag = isinstance(value, bool)
    if not isinstance(value, _TYPES[kind]) or (is_flag and kind != "boolean"):
        raise UsageError(f"The argument {name} must be of type {kind}.")
    if isinstance(value, int) and not -LARGEST <= value <= LARGEST:
        raise UsageError(f"The argument {name} is too large.")
    if isinstance(value, str):
        _check_text(name, schema, value)
    if isinstance(value, list):
        if len(value) > MOST_IN_LIST:
            raise UsageError(f"The argument {name} has more than {MOST_IN_LIST} entries.")
        return [_value(name, schema["items"], one) for one in value]
    return value


def _check_text(name: str, schema: Schema, value: str) -> None:
    if len(value) > LONGEST_ARGUMENT or not value.isprintable():
        raise UsageError(
            f"The argument {name} must be printable and at most {LONGEST_ARGUMENT} characters long."
        )
    if "enum" in schema and value not in schema["enum"]:
        raise UsageError(f"The argument {name} must be one of: {', '.join(schema['enum'])}.")

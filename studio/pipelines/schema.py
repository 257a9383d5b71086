"""The JSON schema of pipelines, generated from the catalogue of steps and the kinds of gates.

``python -m studio.pipelines.schema`` prints it; the published copy is in
``resources/schemas``, and a test compares the two.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from studio.api import Kind as OptionKind
from studio.api import Option
from studio.jobs import AnyStep
from studio.pipelines.gate_kinds import KINDS, Kind
from studio.steps.catalogue import steps

FILE = ("schemas", "pipeline.schema.json")


_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REFERENCE = {"$ref": "#/$defs/reference"}
_ID = r"^[A-Za-z0-9_-]+$"

Json = dict[str, Any]

_OWN: Json = {
    "id": {"type": "string", "pattern": _ID, "description": "How other steps and gates call it."},
    "after": {
        "description": "Steps that must have been run before, beside those that are referred to.",
        "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
    },
    "fresh": {
        "type": "boolean",
        "description": "Run it also when its inputs did not change.",
        "default": False,
    },
}


def schema() -> Json:
    """Return the complete schema."""
    known = steps()
    return {
        "$schema": _DIALECT,
        "title": "A pipeline of Edgewright",
        "description": "Steps with their options, and gates on their results; a TOML file.",
        "type": "object",
        "required": ["pipeline", "steps"],
        "additionalProperties": False,
        "properties": {
            "pipeline": _head(),
            "vars": _vars(),
            "matrix": _matrix(),
            "steps": {
                "type": "array",
                "minItems": 1,
                "items": {"oneOf": [{"$ref": f"#/$defs/step-{name}"} for name in known]},
            },
            "gates": {
                "type": "array",
                "items": {"oneOf": [{"$ref": f"#/$defs/gate-{name}"} for name in KINDS]},
            },
        },
        "$defs": {
            "reference": {
                "type": "string",
                "pattern": r"\$\{[A-Za-z0-9_.@*-]+\}",
                "description": "A result, a variable or a cell: ${int8.variant}, ${vars.target}.",
            },
            **{f"step-{name}": _step(step) for name, step in known.items()},
            **{f"gate-{name}": _gate(name, kind) for name, kind in KINDS.items()},
        },
    }


def _head() -> Json:
    return {
        "type": "object",
        "required": ["name"],
        "additionalProperties": False,
        "properties": {
            "name": {"type": "string", "minLength": 1},
            "title": {"type": "string"},
            "description": {"type": "string"},
        },
    }


def _vars() -> Json:
    plain = [{"type": kind} for kind in ("string", "number", "boolean", "array")]
    declared = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "env": {"type": "string", "description": "Name of a variable of the environment."},
            "default": {"anyOf": plain},
            "required": {"type": "boolean"},
            "help": {"type": "string"},
        },
    }
    return {"type": "object", "additionalProperties": {"anyOf": [*plain, declared]}}


def _matrix() -> Json:
    values = {"anyOf": [{"type": "string"}, {"type": "number"}, {"type": "boolean"}]}
    return {
        "type": "object",
        "description": "Axes; a step that refers to ${matrix.AXIS} is run for each of its values.",
        "additionalProperties": {"type": "array", "minItems": 1, "items": values},
    }


def _step(step: AnyStep) -> Json:
    properties: Json = {"step": {"const": step.name}, **_OWN}
    for option in step.form:
        properties |= dict.fromkeys(_spelled(option.name), _option(option))
    needed = [one.name for one in step.form if one.required and not one.project]
    # Names with an underscore have a second spelling, so the schema cannot require either.
    plain = [name for name in needed if "_" not in name]
    return {
        "title": step.title,
        "description": step.summary,
        "type": "object",
        "required": ["step", *plain],
        "additionalProperties": False,
        "properties": properties,
    }


def _spelled(name: str) -> list[str]:
    return [name, name.replace("_", "-")]


def _option(option: Option) -> Json:
    one = _value(option)
    found: Json = {"anyOf": [one, _REFERENCE]}
    if option.many:
        found = {
            "anyOf": [one, _REFERENCE, {"type": "array", "items": {"anyOf": [one, _REFERENCE]}}]
        }
    text = option.help or option.title
    if option.unit:
        text = f"{text} ({option.unit})".strip()
    if text:
        found["description"] = text
    if option.default not in (None, "", [], ()):
        default = option.default
        found["default"] = list(default) if isinstance(default, tuple) else default
    return found


def _value(option: Option) -> Json:
    kind = option.kind
    if kind is OptionKind.FLAG:
        return {"type": "boolean"}
    if kind in (OptionKind.INTEGER, OptionKind.NUMBER):
        found: Json = {"type": "integer" if kind is OptionKind.INTEGER else "number"}
        found |= {"minimum": option.minimum} if option.minimum is not None else {}
        return found | ({"maximum": option.maximum} if option.maximum is not None else {})
    if kind is OptionKind.CHOICE and not option.plugins:
        return {"enum": list(option.choices)}
    if kind is OptionKind.MODEL:
        return {"type": ["string", "integer"]}
    if kind in (OptionKind.TEXT, OptionKind.CHOICE):
        return {"type": ["string", "number", "boolean"]}
    return {"type": "string"}


def _gate(name: str, kind: Kind) -> Json:
    properties: Json = {
        "name": {"type": "string"},
        "kind": {"const": name},
        **({"value": _REFERENCE} if name == "value" else {"of": {"type": "string"}}),
        **{bound: {"type": "number"} for bound in kind.bounds},
    }
    for key, wanted in (kind.settings or {}).items():
        lists = {"type": "array", "items": {"type": "string"}}
        properties[key] = lists if wanted is list else {"type": ["string", "number"]}
    found: Json = {
        "description": f"A limit on {kind.about}.",
        "type": "object",
        "required": ["name", "value"] if name == "value" else ["name", "kind", "of"],
        "additionalProperties": False,
        "properties": properties,
    }
    if kind.bounds:
        found["anyOf"] = [{"required": [bound]} for bound in kind.bounds]
    return found


def text() -> str:
    """Return the text of the schema's file."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())

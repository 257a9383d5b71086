"""Writes plugins/studio_tflite/schema.json: TFLite's tables, fields and enumerations as data.

    python -m pip download --no-deps ai-edge-litert
    python packaging/tflite_schema.py ai_edge_litert-*.whl

The wheel (Apache-2.0) brings the classes that are generated from TFLite's schema. They are read as
text, never run: names, positions, types and defaults are all that is taken.
"""

from __future__ import annotations

import ast
import json
import re
import sys
import zipfile
from pathlib import Path
from typing import Any

OUTPUT = Path(__file__).parents[1] / "plugins" / "studio_tflite" / "schema.json"
MEMBER = "ai_edge_litert/schema_py_generated.py"
CORE = {
    "Model", "SubGraph", "Tensor", "Operator", "OperatorCode", "Buffer", "Metadata",
    "QuantizationParameters", "SignatureDef", "TensorMap",
}  # fmt: skip
ENUMS = {
    "padding": "Padding",
    "fused_activation_function": "ActivationFunctionType",
    "in_data_type": "TensorType",
    "out_data_type": "TensorType",
    "out_type": "TensorType",
    "output_type": "TensorType",
    "idx_out_type": "TensorType",
    "quantized_bias_type": "TensorType",
    "weights_format": "FullyConnectedOptionsWeightsFormat",
    "kernel_type": "LSTMKernelType",
    "combiner": "CombinerType",
    "mode": "MirrorPadMode",
    "reduce_function": "ReduceWindowFunction",
    "comparison_direction": "StablehloComparisonDirection",
    "compare_type": "StablehloComparisonType",
}
NAMED = {"BuiltinOperator", "BuiltinOptions", "BuiltinOptions2", "TensorType", *ENUMS.values()}


def schema(source: str) -> dict[str, Any]:
    """The tables and enumerations of the generated module."""
    classes = [one for one in ast.parse(source).body if isinstance(one, ast.ClassDef)]
    enums = {one.name: members(one) for one in classes if one.name in NAMED}
    options = {*enums["BuiltinOptions"].values(), *enums["BuiltinOptions2"].values()}
    tables = {one.name: fields(one) for one in classes if one.name in CORE | options}
    return {"enums": {name: enums[name] for name in sorted(enums)}, "tables": tables}


def members(one: ast.ClassDef) -> dict[str, str]:
    """Names of an enumeration by their numbers (as text: JSON has no others)."""
    return {
        str(line.value.value): line.targets[0].id
        for line in one.body
        if isinstance(line, ast.Assign) and isinstance(line.value, ast.Constant)
    }


def fields(one: ast.ClassDef) -> list[list[Any]]:
    """Name, slot, type, default and enumeration of each field."""
    found = []
    for method in one.body:
        if not isinstance(method, ast.FunctionDef) or method.name.endswith(("AsNumpy", "IsNone")):
            continue
        text = ast.unparse(method)
        slot = re.search(r"Offset\((\d+)\)", text)
        if slot is None or method.name.endswith("Length"):
            continue
        name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", method.name).lower()
        kind, default = type_of(text, len(method.args.args) > 1)
        if kind:
            found.append([name, int(slot[1]), kind, default, ENUMS.get(name, "")])
    return found


def type_of(text: str, is_vector: bool) -> tuple[str, float | bool | None]:
    """``int32``, ``string``, ``table``, or one of them in brackets; none for a union."""
    number = re.search(r"\.Get\([\w.]*number_types\.(\w+)Flags", text)
    if number is not None:
        kind = number[1].lower()
        last = re.findall(r"return (\S+)\s*$", text)
        return (f"[{kind}]", None) if is_vector else (kind, ast.literal_eval(last[-1]))
    if ".String(" in text:
        return ("[string]" if is_vector else "string"), None
    if ".Init(" in text:
        return ("[table]" if is_vector else "table"), None
    return "", None


def main() -> None:
    with zipfile.ZipFile(sys.argv[1]) as wheel:
        found = schema(wheel.read(MEMBER).decode())
    version = Path(sys.argv[1]).name.split("-")[1]
    lines = [json.dumps({"source": f"ai-edge-litert {version}"})[:-1]]
    for part, entries in found.items():
        rows = [f"  {json.dumps(name)}: {json.dumps(rows)}" for name, rows in entries.items()]
        lines.append(f'"{part}": {{\n' + ",\n".join(rows) + "\n }")
    OUTPUT.write_text(",\n ".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()

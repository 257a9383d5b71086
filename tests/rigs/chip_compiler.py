"""The compiler of the example plugin, and its chip."""

CHIP = """
title = "Example chip"
summary = "The chip of the tests."
compiler = "example-compiler"
format = "onnx"
source = "These tests."

[settings]
lanes = 4
"""

GATED_CHIP = f"""{CHIP}
[gate]
max_error = 0.1
remedy = "Use another chip."
"""

COMPILER = '''
"""Compiles the linear model, as its file's description has it."""

import glob
import json
import os
import time

import numpy


def run(request, progress):
    with open(request["source"], "rb") as file:
        content = file.read()
    if request["work"] == "compile":
        assert request["settings"] == {"lanes": 4}, request["settings"]
        assert request["inputs"] == {"x": [1, 4]}, request["inputs"]
        if b"crashes" in content:
            os.kill(os.getpid(), 11)
        if b"refused" in content:
            edits = ["dimensions batch=1"] if b"open" in content else []
            return {"error": "The chip has no operator MatMul.", "edits": edits}
        if b"waits" in content:
            for _ in range(600):
                progress(1, 4, "Placing the nodes")
                time.sleep(0.5)
        if b"folder" in content:
            os.mkdir(request["output"] + "_web")
            with open(request["output"] + "_web/code", "wb") as file:
                file.write(b"code")
            return {"artefact": os.path.basename(request["output"]) + "_web", "samples": "golden"}
        artefact = os.path.basename(request["output"]) + ".bin"
        with open(os.path.join(os.path.dirname(request["output"]), artefact), "wb") as file:
            file.write(b"code")
        if b"elsewhere" in content:
            artefact = "../../../secret"
        nodes = []
        if b"partly" in content:
            product = {"name": "product", "operator": "MatMul", "on_chip": True}
            sum_ = {"name": "sum", "operator": "Add", "on_chip": False, "reason": "no adder",
                    "remedy": "Leave it out."}
            if b"preset" in content:
                sum_.update(remedy="Quantize it with fp16.", preset="fp16", keep_float=True)
            if b"unknown preset" in content:
                sum_["preset"] = "int8-of-tomorrow"
            if b"edit" in content:
                sum_.update(remedy="Fix its sizes.", edits=["dimensions batch=2"])
            nodes = [product, sum_]
        edits = ["dimensions batch=1"] if b"open" in content else []
        return {"nodes": nodes, "artefact": artefact, "estimate": {"latency_ms": 0.5},
                "edits": edits}
    if b"silent" in content:
        os.kill(os.getpid(), 11)
    weights = numpy.arange(12, dtype=numpy.float32).reshape(4, 3) / 10 - 0.5
    paths = sorted(glob.glob(os.path.join(request["samples"], "*.npz")))
    for path in paths[:2] if b"slow" in content else paths:
        with numpy.load(path, allow_pickle=False) as arrays:
            scores = arrays["x"] @ weights
        if b"garbage" in content:
            scores = scores * 0
        numpy.savez(os.path.join(request["answers"], os.path.basename(path)), **{"0": scores})
    return {}
'''

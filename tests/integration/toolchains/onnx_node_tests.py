"""ONNX's own node tests through a runner, in the runner's environment: counts and what is wrong.

    python onnx_node_tests.py RUNNER

Prints JSON: how many pass, and of the others the name and why. A model whose operators the runner
does not have is skipped.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy
import onnx
from onnx.backend.test.case.node import collect_testcases


def load_runner(path: str) -> Any:
    spec = importlib.util.spec_from_file_location("runner", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def check(runner: Any, case: Any, path: Path) -> None:
    """Run a test; AssertionError when it computes something else, ValueError when it refuses."""
    onnx.save(case.model, path)
    session = runner.load(str(path), {"threads": 1})
    names = [each["name"] for each in session.inputs()]
    for given, expected in case.data_sets:
        arrays = [numpy.asarray(each) for each in given]
        made = session.run(dict(zip(names, arrays)))  # noqa: B905 - optional inputs are left out
        for want, have in zip(expected, made.values()):  # noqa: B905 - and outputs
            want = numpy.asarray(want)
            assert (want.shape, want.dtype) == (have.shape, have.dtype)
            have, want = have.astype(float), want.astype(float)
            numpy.testing.assert_allclose(have, want, rtol=2e-3, atol=1e-4)


def main() -> int:
    """Run all; print."""
    warnings.simplefilter("ignore")
    runner = load_runner(sys.argv[1])
    passed, refused, wrong, skipped = 0, {}, {}, 0
    path = Path(tempfile.mkdtemp()) / "m.onnx"
    for case in collect_testcases(None):
        try:
            check(runner, case, path)
            passed += 1
        except AssertionError as error:
            wrong[case.name] = " ".join(str(error).split())[:120]
        except Exception as error:
            if "has no operator" in str(error):
                skipped += 1
            else:
                refused[case.name] = f"{type(error).__name__}: {error}"[:120]
    print(json.dumps({"passed": passed, "skipped": skipped, "refused": refused, "wrong": wrong}))
    return 0


if __name__ == "__main__":
    sys.exit(main())

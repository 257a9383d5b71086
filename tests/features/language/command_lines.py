"""Command lines of language models, for the tests that try every command."""

LINES = {"chat": [("chat digits.onnx hello", (2,)), ("chat local hello", (1,))]}
WITHOUT_A_STEP = ()

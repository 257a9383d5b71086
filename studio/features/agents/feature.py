"""Agents: the command ``studio mcp``."""

from studio.feature_host import Feature

FEATURE = Feature(
    commands={"mcp": "serve agents over the Model Context Protocol on standard input and output"},
    files=("docs/agents.md", "tests/integration/agents", "tests/rigs/agents/injections.py"),
)

"""Command lines of agents, for the tests that try every command."""

LINES = {"mcp": [("mcp", (0,))]}
WITHOUT_A_STEP = ("mcp",)

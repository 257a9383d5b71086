"""The doors for other programs against their own software: MCP, OpenAPI, CloudEvents."""

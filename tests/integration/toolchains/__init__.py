"""Real toolchains in environments of their own."""

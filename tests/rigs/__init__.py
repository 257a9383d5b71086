"""Real parts that tests drive: boards with an SSH server."""

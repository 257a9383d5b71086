"""The pull client of a board."""

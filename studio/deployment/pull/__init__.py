"""The pull client of a board: set up, shown and removed from the desk."""

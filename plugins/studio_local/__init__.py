"""This computer as a target, with the same runtime as a board."""

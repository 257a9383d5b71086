"""Boards that pull from goosebit itself."""

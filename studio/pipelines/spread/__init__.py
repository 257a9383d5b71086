"""Runs whose steps are done on other computers."""

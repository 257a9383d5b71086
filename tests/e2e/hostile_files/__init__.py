"""Hostile model files, made in code: each lies, climbs, swells or carries code."""

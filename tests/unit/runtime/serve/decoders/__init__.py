"""Outputs decoded by the runtime."""

"""Simulated boards as targets."""

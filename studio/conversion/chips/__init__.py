"""Compilation of models for chips, and the verdicts of their compilers."""

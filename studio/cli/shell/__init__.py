"""Completion scripts and the manual page, made from the parser."""

"""Edgewright, a desktop studio for deploying AI models to edge boards, containers and clouds."""

__version__ = "0.1.0"

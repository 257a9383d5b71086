"""Qualcomm's NPU as a plugin: its compiler and its emulator on this computer."""

"""Outlook of a quantization: the speed-up of its layers, timed on this machine before it begins."""

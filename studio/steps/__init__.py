"""The one door to every step: catalogue, checked arguments, running, cached results, replay."""

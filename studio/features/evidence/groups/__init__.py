"""Quality of a model by group of samples, with intervals, and its calibration."""

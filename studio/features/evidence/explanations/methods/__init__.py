"""The methods: maps from a scorer and a perturbation, in numpy alone."""

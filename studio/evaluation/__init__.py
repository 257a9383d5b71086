"""Quality of a model on labelled data: metrics, comparisons, the same on a target."""

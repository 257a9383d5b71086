"""Projects: task, data, labels, preprocessing, metric and targets of a model."""

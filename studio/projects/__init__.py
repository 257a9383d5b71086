"""What belongs to a model besides its file: task, data, labels, preprocessing, metric, targets."""

"""Apps: from the frames of cameras and sensors, through a graph of steps, to events."""

"""OpenVINO as a plugin: its IR (an XML file and its weights) as a graph, read without OpenVINO."""

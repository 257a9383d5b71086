"""Outputs decoded: classes, boxes, masks, texts, values."""

"""Captions, data, generators and metrics for text-to-audio research."""

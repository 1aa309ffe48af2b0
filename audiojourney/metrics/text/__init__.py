"""Metrics of captions against reference captions."""

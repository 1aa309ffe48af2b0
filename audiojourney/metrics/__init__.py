"""Measures of sounds, captions and classifiers."""

"""Measures the gates of the shipped captioner and scorer on clips that they were not trained on."""

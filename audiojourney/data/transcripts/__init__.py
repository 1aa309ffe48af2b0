"""Subtitles of videos, and the stretches without any."""

"""Clips on disk, waveforms in memory."""

"""Noise schedules, objectives, samplers and guidance on tensors and callables."""

"""GenAu: the networks of the paper, its text encoders, and the loading of its published checkpoints."""

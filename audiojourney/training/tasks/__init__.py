"""One file a model: its data, loss and validation."""

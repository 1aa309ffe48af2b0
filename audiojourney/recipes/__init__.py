"""One file a verb: the only place that wires the parts together."""

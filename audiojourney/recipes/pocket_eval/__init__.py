"""`make pocket-eval`: measures every quality gate of the pocket models and writes docs/results.md, one file a gate."""

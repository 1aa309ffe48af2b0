"""CLAP: text and sound in one space, and the scorers that measure with it."""

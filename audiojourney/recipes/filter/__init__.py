"""`aj filter`: which captions and clips of a list are kept."""

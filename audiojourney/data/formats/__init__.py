"""Data sets as others publish them, read to clips and written from clips."""

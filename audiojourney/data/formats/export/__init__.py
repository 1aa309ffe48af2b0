"""Data sets written the way other tools read them."""

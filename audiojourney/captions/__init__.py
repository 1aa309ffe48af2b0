"""Writing captions and judging them."""

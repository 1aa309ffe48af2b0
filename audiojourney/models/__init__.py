"""Networks and the pipelines made of them."""

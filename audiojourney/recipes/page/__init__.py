"""One self-contained HTML page: no request to any network, every value escaped, light and dark, narrow and wide."""

"""`aj study`: a blind listening test in one page, and what its answers say."""

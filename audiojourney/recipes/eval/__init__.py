"""`aj eval`: measure generated sounds, captions and classifiers."""

"""The small models that ship inside the package."""

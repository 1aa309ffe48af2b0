"""The command `aj`: parse, call a recipe, print."""

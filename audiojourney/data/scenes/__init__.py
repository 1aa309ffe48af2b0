"""A procedural synthesiser of sound scenes."""

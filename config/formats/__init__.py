"""How moments are written, one way in both languages; Django reads the modules by their names."""

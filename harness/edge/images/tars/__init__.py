"""Tar files whose bytes depend on their content alone: layers, and archives of images."""

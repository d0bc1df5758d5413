"""All the I/O, and nothing but I/O."""

"""The pure core: no files, processes, sockets, clocks or pytest (import-linter enforces it)."""

"""The pure core: no files, processes, sockets, clocks or pytest (import-linter enforces it).

The modules at this level are the words that all rooms share.
"""

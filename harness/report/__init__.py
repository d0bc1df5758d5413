"""What a person or a program reads of a run: documents, pages, the terminal, tables and pictures.

This room lays out what others found. It may import `harness.core`, and never `harness.edge`.
"""

"""The output of a run for people and programs: documents, pages, the terminal, tables, pictures.

This package formats results. It may import `harness.core`, and never imports `harness.edge`.
"""

"""Grades and assignments laid out for people: the terminal, and what students get."""

"""Grading's way to the disk and to clusters: assignments, submissions, grades, live judgement."""

"""The simulated internet: its container, its controls, and what a run knows of it."""

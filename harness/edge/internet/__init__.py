"""The simulated internet: its container, its controls, and its state during a run."""

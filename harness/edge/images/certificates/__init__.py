"""The simulated internet's certificates: when they are made (`making`), and how (`signing`)."""

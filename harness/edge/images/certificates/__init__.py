"""The certificates of the simulated internet: when they are made (`making`), and how (`signing`)."""

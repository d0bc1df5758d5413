"""What judges look at besides the oracle: a cluster's answers, and rules too wide on one side."""

"""The verbs about this machine: its clusters, the images of which they are made, what it lacks."""

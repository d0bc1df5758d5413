"""A matrix of flows: as tables and JSON (`tables`), and as a picture (`heatmap`)."""

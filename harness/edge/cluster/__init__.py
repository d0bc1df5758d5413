"""kind clusters: how they are made, used again, found, described and deleted."""

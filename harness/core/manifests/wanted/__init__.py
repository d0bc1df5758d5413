"""Lists of wanted flows: what a person may write (`wishes`), and the flows meant (`flows`)."""

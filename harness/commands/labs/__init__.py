"""The verbs about the labs themselves: what tutorials claim, and what the words of a table mean."""

"""What a state's policies add up to, in words, as pictures and for programs."""

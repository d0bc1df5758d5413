"""Random worlds and policies: how they are drawn, judged and shrunk."""

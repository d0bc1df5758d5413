"""Images as files for other machines: the bundle of a lane, and archives of single images."""

"""The official images: their names, a company's mirror of them, and how they are pulled.

`official` gets all images of a cluster on this route, `names` says what an image is called in a
mirror, and `pulling` pulls one image and puts into words why it cannot be had.
"""

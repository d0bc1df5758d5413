"""From a file's bytes to plain values with line numbers, as kubectl reads YAML and JSON.

Here live the encodings, the words that are numbers, every limit of size and depth, and what a
kustomization.yaml says that lies among the files. What a value means to Kubernetes is not known
here.
"""

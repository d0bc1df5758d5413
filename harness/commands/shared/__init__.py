"""What several verbs share: their options, the manifests and pods they are given, their output."""

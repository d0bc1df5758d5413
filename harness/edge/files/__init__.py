"""The project's files: labs and manifests to read, and folders of results to write."""

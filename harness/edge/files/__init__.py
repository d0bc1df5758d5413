"""Files of this project: labs and manifests that are read, reports that are written."""

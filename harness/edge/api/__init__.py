"""The Kubernetes API: the client, kubectl's words, namespaces, replicas and live names."""

"""Measurements that only a lab needs: a table's `fact/...`, `questions/...` and `blocked/...`."""

"""Loads policylab's plugin for `pytest labs/` and for the live tests."""

pytest_plugins = ["harness.plugin"]

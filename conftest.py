"""Loads the part of policylab's plugin that runs labs, for the live tests as well."""

pytest_plugins = ["harness.plugin.labs"]

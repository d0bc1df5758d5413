"""The part of the plugin that runs labs.

A run that leads to labs in `labs/` registers it by itself. Any other run that needs its fixtures,
such as one of live tests, asks for it in a conftest.py:

    pytest_plugins = ["harness.plugin.labs"]
"""

pytest_plugins = ["harness.plugin.front", "harness.plugin.fixtures", "harness.plugin.hooks"]

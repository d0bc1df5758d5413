"""The front of the plugin: what every run of pytest imports where policylab is installed.

It must cost a run nothing that uses nothing of policylab: it imports pytest and the declarations of
the options, prints nothing, and adds no hook that is called for a test. All else is imported when
the command line, the folder of labs or a test asks for it.
"""

from __future__ import annotations

import pytest

from harness.plugin.declared import add_options, asks_for_labs, grades, is_typed

LAB_PART = "harness.plugin.labs"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register `--lab-*`."""
    add_options(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Check the options that were typed, and add the part that runs labs where a run needs it.

    Raises:
        pytest.UsageError: an option is wrong: the run stops before anything is touched.
    """
    if is_typed(config):
        from harness.plugin.options import options_of

        options_of(config)
    if asks_for_labs(config) or grades(config):
        config.pluginmanager.import_plugin(LAB_PART)


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say which options are in force and where they come from, in a run that they are for."""
    if not is_typed(config) and not asks_for_labs(config):
        return None
    from harness.plugin.options import options_of

    return options_of(config).header()

"""Fills in templates of this package with Jinja2."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined


def filled(package: str, name: str, **values: object) -> str:
    """The template `name` in the folder of `package`, with its `{{ ... }}` filled in.

    Raises:
        jinja2.UndefinedError: `values` lacks a name that the template uses, which is a bug.
    """
    return _folder(package).get_template(name).render(**values)


@cache
def _folder(package: str) -> Environment:
    return Environment(
        loader=PackageLoader(package, package_path=""),
        autoescape=False,  # noqa: S701 - YAML, and a program; HTML has a loader of its own
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )

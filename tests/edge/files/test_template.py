"""Templates: a blank without a value is an error, never an empty place."""

import pytest
from jinja2 import UndefinedError

from harness.edge.files.template import filled


def test_blank_without_a_value_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        filled("harness.edge.cni.calico", "manifests.yaml.j2", api_name="node")

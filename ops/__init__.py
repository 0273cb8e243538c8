"""Operating the stacks: `python -m ops`."""

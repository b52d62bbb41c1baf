"""What all tests of the command line share."""

from __future__ import annotations

import functools

from typer import testing

testing._get_command = functools.cache(testing._get_command)
"""Built once, as in a process of its own, and not for each of the hundreds of commands that are run in this one."""

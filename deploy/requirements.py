"""Prints requirements of pyproject.toml, one a line, for an image that has no code yet.

python requirements.py NAME... [--without PACKAGE...]    NAME: "dependencies" or one of the optional dependencies
"""

import argparse
import re
import tomllib
from pathlib import Path

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("names", nargs="+", metavar="NAME")
parser.add_argument("--without", nargs="*", default=[], metavar="PACKAGE")
asked = parser.parse_args()

project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
groups = {"dependencies": project["dependencies"], **project["optional-dependencies"]}
for name in asked.names:
    for requirement in groups[name]:
        if re.split(r"[^A-Za-z0-9._-]", requirement)[0] not in asked.without:
            print(requirement)

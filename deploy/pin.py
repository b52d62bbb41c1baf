"""Prints the exact versions of all packages that the images hold, read off the environment that runs this.

python deploy/pin.py > deploy/constraints.txt    in an environment whose tests have passed
"""

from importlib.metadata import distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

pins: dict[str, str] = {}
todo = [Requirement("deepfake-classification[bot,cluster,web]")]
seen = set()
while todo:
    requirement = todo.pop()
    if (key := (requirement.name, *sorted(requirement.extras))) in seen:
        continue
    seen.add(key)
    found = distribution(requirement.name)
    name = canonicalize_name(requirement.name)
    pins[name] = found.version.split("+")[0]  # 2.13.0+cpu is the CPU build of 2.13.0
    for line in found.requires or []:
        needed = Requirement(line)
        markers = [{"extra": extra} for extra in requirement.extras] or [{"extra": ""}]
        if needed.marker is None or any(needed.marker.evaluate(marker) for marker in markers):
            todo.append(needed)

del pins["deepfake-classification"]
print("# The versions that the images hold. Made by deploy/pin.py; pyproject.toml says which are allowed.")
for name, version in sorted(pins.items()):
    print(f"{name}=={version}")

#!/usr/bin/env python3
"""A software bill of materials (CycloneDX 1.5, JSON) of `cargo metadata` on standard input: what the program links,
and what the plugins link that are part of it.
"""

import json
import sys

metadata = json.load(sys.stdin)
packages = {package["id"]: package for package in metadata["packages"]}
nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
root = next(package["id"] for package in metadata["packages"] if package["name"] == "retailcast")
plugins = [p["id"] for p in metadata["packages"] if p["name"].startswith("retailcast-plugin-") and p["source"] is None]


def linked(node):
    """Ids that a package links: neither build scripts' nor tests' dependencies."""
    return [dep["pkg"] for dep in nodes[node]["deps"] if any(kind["kind"] is None for kind in dep["dep_kinds"])]


reached, waiting = set(), [root, *plugins]
while waiting:
    node = waiting.pop()
    if node not in reached:
        reached.add(node)
        waiting.extend(linked(node))


def reference(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def component(package):
    described = {
        "type": "library",
        "bom-ref": reference(package),
        "name": package["name"],
        "version": package["version"],
        "purl": reference(package),
    }
    if package["license"]:
        described["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
    return described


parts = sorted((packages[node] for node in reached if node != root), key=lambda p: (p["name"], p["version"]))
program = packages[root]
document = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.5",
    "version": 1,
    "metadata": {"component": {**component(program), "type": "application"}},
    "components": [component(package) for package in parts],
    "dependencies": [
        {
            "ref": reference(packages[node]),
            "dependsOn": sorted({reference(packages[part]) for part in linked(node)}),
        }
        for node in sorted(reached, key=lambda node: (packages[node]["name"], packages[node]["version"]))
    ],
}
json.dump(document, sys.stdout, indent=1)
print()

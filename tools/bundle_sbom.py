"""The bill of materials of a bundle, CycloneDX 1.6 as JSON: every wheel, the speech model, and what the pages use."""

from __future__ import annotations

import hashlib
import tomllib
import zipfile
from collections.abc import Iterable, Sequence
from datetime import datetime
from email import message_from_string
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from bundle_lock import sha256
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.utils import parse_wheel_filename

MODEL = "counter_listener/shipped/models/counter-cn/"
VENDORED = "counter_listener/web/static/vendor/vendor.toml"


def bill_of_materials(wheels: Sequence[Path], program: Path, made: datetime) -> str:
    """The document, the same for the same wheels; `program` is our own wheel among them."""
    bom = Bom(components=[*map(_of_wheel, wheels), *_inside(program)])
    name, version, *_ = parse_wheel_filename(program.name)
    bom.metadata.component = Component(
        name=name, version=str(version), type=ComponentType.APPLICATION, bom_ref="the bundle"
    )
    bom.metadata.timestamp = made
    content = "".join(sorted(sha256(wheel) for wheel in wheels))
    bom.serial_number = uuid5(NAMESPACE_URL, hashlib.sha256(content.encode()).hexdigest())
    for component in bom.components:
        bom.register_dependency(component)
    bom.register_dependency(bom.metadata.component, bom.components)
    return JsonV1Dot6(bom).output_as_string(indent=1) + "\n"


def _of_wheel(wheel: Path) -> Component:
    name, version, *_ = parse_wheel_filename(wheel.name)
    return Component(
        name=name,
        version=str(version),
        type=ComponentType.LIBRARY,
        bom_ref=f"{name}=={version}",
        purl=PackageURL("pypi", name=name, version=str(version)),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=sha256(wheel))],
        licenses=_licences(licence_of(wheel)),
    )


def licence_of(wheel: Path) -> str:
    """What a wheel says about its licence: an SPDX expression, else a text, else the classifiers; or nothing."""
    with zipfile.ZipFile(wheel) as packed:
        (name,) = [one for one in packed.namelist() if one.endswith(".dist-info/METADATA")]
        headers = message_from_string(packed.read(name).decode("utf-8", "replace"))
    classified = [one.rpartition(" :: ")[2] for one in headers.get_all("Classifier", []) if one.startswith("License")]
    told = headers.get("License-Expression") or str(headers.get("License") or "").strip().partition("\n")[0]
    return str(told or ", ".join(classified))


def _licences(told: str) -> Iterable[DisjunctiveLicense]:
    return [DisjunctiveLicense(name=told)] if told else []


def _inside(program: Path) -> Iterable[Component]:
    """What our own wheel holds of others: the libraries of the pages, and the speech model."""
    with zipfile.ZipFile(program) as packed:
        names = packed.namelist()
        if VENDORED in names:
            for one in tomllib.loads(packed.read(VENDORED).decode())["library"]:
                yield _of_library(one)
        if f"{MODEL}SHA256SUMS" in names:
            digest = hashlib.sha256(packed.read(f"{MODEL}SHA256SUMS")).hexdigest()
            yield Component(
                name="counter-cn",
                type=ComponentType.MACHINE_LEARNING_MODEL,
                bom_ref="counter-cn",
                description="SHA-256 of SHA256SUMS of the model: " + digest,
                licenses=_licences("CC-BY-SA-4.0"),
            )


def _of_library(one: dict[str, object]) -> Component:
    source, version = str(one["source"]), str(one["version"])
    scope, _, name = source.rpartition("/")
    return Component(
        name=str(one["name"]),
        version=version,
        type=ComponentType.LIBRARY,
        bom_ref=f"npm:{source}@{version}",
        purl=PackageURL("npm", scope or None, name, version),
        licenses=_licences(str(one["licence"])),
    )

"""Which file is which function, and which requirements it is for: AWS's SAM templates, or file names."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True)
class Deployed:
    """One function of a template; `variables` are its environment, with the ARNs of other functions in it."""

    name: str
    path: Path
    requirements: tuple[str, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)
    per_tenant: bool = False
    durable: bool = True


class _Loader(yaml.SafeLoader):
    """SAM's short forms (`!Sub`, `!GetAtt`) are read as what stands behind them."""


_Loader.add_multi_constructor("!", lambda loader, _tag, node: loader.construct_scalar(node) if isinstance(node, yaml.ScalarNode) else None)


def deployed_in(folder: Path, region: str = "us-east-1", account: str = "000000000000") -> list[Deployed]:
    """Every function of a handlers' folder. Raises `FileNotFoundError` when there is none."""
    arn = f"arn:aws:lambda:{region}:{account}:function"
    templates = sorted(folder.glob("template*.yaml"))
    found = [one for template in templates for one in _of_template(template, arn)] if templates else list(_of_names(folder))
    if not found:
        raise FileNotFoundError(f"{folder} holds neither template_<suite>.yaml nor handler files")
    return found


def _of_template(template: Path, arn: str) -> Iterator[Deployed]:
    resources: dict[str, dict[str, Any]] = yaml.load(template.read_text(), _Loader).get("Resources") or {}
    for name, resource in resources.items():
        properties = resource.get("Properties") or {}
        if resource.get("Type") != "AWS::Serverless::Function" or "Handler" not in properties:
            continue
        variables = (properties.get("Environment") or {}).get("Variables") or {}
        yield Deployed(
            name=name,
            path=_file_of(template.parent, properties["Handler"]),
            requirements=tuple((resource.get("TestingMetadata") or {}).get("TestDescription") or ()),
            variables={key: re.sub(r"\$\{(\w+)\.Arn\}", rf"{arn}:\1", str(text)) for key, text in variables.items()},
            per_tenant="TenancyConfig" in properties,
            durable="DurableConfig" in properties,
        )


def _file_of(folder: Path, handler: str) -> Path:
    """`invoke.target_echo.handler` is `handlers/invoke/target_echo.py`."""
    return folder.joinpath("handlers", *handler.split(".")[:-1]).with_suffix(".py")


def _of_names(folder: Path) -> Iterator[Deployed]:
    for path in sorted(folder.glob("*.py")):
        numbers = re.search(r"(?:^|_)(\d+)[_-](\d+)$", path.stem)
        yield Deployed(path.stem.replace("_", "-"), path, () if numbers is None else (f"{numbers[1]}-{numbers[2]}",))

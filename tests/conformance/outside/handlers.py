"""Imported by the served product: registers the handlers of CONFORMANCE_HANDLERS in the mode CONFORMANCE_MODE."""

import logging
import os
from pathlib import Path

import execution_engine
from tests.conformance.outside.loading import load
from tests.conformance.outside.templates import deployed_in


def register_all(folder: Path, mode: str) -> None:
    for deployed in deployed_in(folder, os.environ.get("DURABLE_REGION", "us-east-1"), os.environ.get("DURABLE_ACCOUNT", "0" * 12)):
        try:
            handler, url = (None, os.environ["CONFORMANCE_URL"]) if mode == "remote" else (load(deployed, mode).handler, None)
            execution_engine.register(handler, name=deployed.name, per_tenant=deployed.per_tenant, durable=deployed.durable, url=url)
        except Exception:  # one bad file must not hide the others: its requirements fail by themselves
            logging.getLogger(__name__).exception("%s was not registered", deployed.path)


if "CONFORMANCE_HANDLERS" in os.environ:
    register_all(Path(os.environ["CONFORMANCE_HANDLERS"]), os.environ.get("CONFORMANCE_MODE", "native"))

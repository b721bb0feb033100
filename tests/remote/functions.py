"""What the served product registers: where the remote handlers are, and nothing of them. REMOTE_URL and NODE_URL say where."""

import os

from execution_engine import register

for language in ("remote", "node"):
    url = os.environ.get(f"{language.upper()}_URL", "http://127.0.0.1:9")
    for name in ("everything", "long-step"):
        register(name=f"{language}-{name}", url=url)
    register(name=f"{language}-plain", url=url, durable=False)
register(name="remote-asks", url=os.environ.get("REMOTE_URL", "http://127.0.0.1:9"))
register(name="node-large", url=os.environ.get("NODE_URL", "http://127.0.0.1:9"))

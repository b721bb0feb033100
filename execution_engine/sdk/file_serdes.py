"""Payloads in files of a folder that every worker shares; the journal keeps the path. AWS's names and envelope."""

import hashlib
import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any
from urllib.parse import quote

from execution_engine.core.serdes import EXTENDED_TYPES_SERDES, SerDes, SerDesContext, SerDesError

# Below AWS's 256 KiB of a checkpoint, with room for the envelope.
OVERFLOW_BYTES = 255 * 1024
_ARN = re.compile(r"arn:[^:]*:lambda:[^:]*:[^:]*:function:([^:/]+):[^:/]+/durable-execution/([^/]+)/([^/]+)")


class FileSystemSerDesMode(StrEnum):
    """ALWAYS writes every value to a file, OVERFLOW only those above 255 KiB."""

    ALWAYS = "ALWAYS"
    OVERFLOW = "OVERFLOW"


class FileSystemPathEncoding(StrEnum):
    """URI gives readable paths `function/execution/id/operation.json`, HASH paths of a fixed length."""

    URI = "URI"
    HASH = "HASH"


@dataclass(frozen=True)
class FileSystemSerDesConfig:
    """`generate_preview(value)` gives what people see in place of the value; see `build_preview`."""

    storage_mode: FileSystemSerDesMode = FileSystemSerDesMode.ALWAYS
    path_encoding: FileSystemPathEncoding = FileSystemPathEncoding.URI
    generate_preview: Callable[[Any], dict[str, Any] | None] | None = None
    serdes: SerDes[Any] = EXTENDED_TYPES_SERDES


class FileSystemSerDes(SerDes[Any]):
    """Writes `{"file": path[, "preview": {...}]}` or, for small values in OVERFLOW mode, `{"data": text}`.

    `base_path` must be the same lasting folder for every worker. A file is complete before its path is recorded. Purging
    an execution does not remove its files. Raises `SerDesError` for a path outside `base_path`.
    """

    def __init__(self, base_path: str, config: FileSystemSerDesConfig | None = None) -> None:
        self._base = Path(base_path)
        self._config = config or FileSystemSerDesConfig()

    def serialize(self, value: Any, serdes_context: SerDesContext) -> str:
        text = self._config.serdes.serialize(value, serdes_context)
        if self._config.storage_mode is FileSystemSerDesMode.OVERFLOW:
            inline = json.dumps({"data": text})
            if len(inline.encode()) <= OVERFLOW_BYTES:
                return inline
        envelope: dict[str, Any] = {"file": str(self._write(text, serdes_context))}
        preview = None if self._config.generate_preview is None else self._config.generate_preview(value)
        if preview:
            envelope["preview"] = preview
        return json.dumps(envelope)

    def deserialize(self, data: str, serdes_context: SerDesContext) -> Any:
        envelope = json.loads(data)
        text = envelope["data"] if "data" in envelope else self._read(Path(envelope["file"]))
        return self._config.serdes.deserialize(text, serdes_context)

    def _write(self, text: str, context: SerDesContext) -> Path:
        folder = self._folder(context.durable_execution_arn)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self._segment(context.operation_id)}.json"
        # Renamed into place, so that a process that dies leaves no half a file under the name.
        with NamedTemporaryFile("w", encoding="utf-8", dir=folder, suffix=".part", delete=False) as part:
            part.write(text)
            part.flush()
            os.fsync(part.fileno())
        Path(part.name).replace(path)
        return path

    def _read(self, path: Path) -> str:
        if not path.resolve().is_relative_to(self._base.resolve()):
            raise SerDesError(f"the payload's file {path} is not in {self._base}")
        return path.read_text(encoding="utf-8")

    def _folder(self, arn: str) -> Path:
        parts = _ARN.fullmatch(arn)
        if parts is None or self._config.path_encoding is FileSystemPathEncoding.HASH:
            return self._base / self._segment(arn)
        return self._base.joinpath(*(quote(part, safe="") for part in parts.groups()))

    def _segment(self, text: str) -> str:
        if self._config.path_encoding is FileSystemPathEncoding.HASH:
            return hashlib.sha256(text.encode()).hexdigest()
        return quote(text, safe="")

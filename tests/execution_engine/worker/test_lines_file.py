import multiprocessing
from pathlib import Path

from execution_engine.worker.lines_file import LinesFile

LINE = b"x" * 99 + b"\n"


def test_it_stays_short_and_keeps_the_newest(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "lines"
    lines = LinesFile(path, max_bytes=1_000, kept=2)
    for number in range(100):
        lines.append(b"%099d\n" % number)
    found = sorted(one.name for one in path.parent.iterdir() if not one.name.startswith("."))
    assert found == ["lines", "lines.1", "lines.2"]
    kept = [int(line) for name in ("lines.2", "lines.1", "lines") for line in (path.parent / name).read_bytes().splitlines()]
    assert kept == list(range(kept[0], 100))
    assert len(kept) > 20
    assert all(one.stat().st_size <= 1_000 for one in path.parent.iterdir())


def test_without_a_limit_it_is_left_to_others(tmp_path: Path) -> None:
    lines = LinesFile(tmp_path / "lines", max_bytes=0, kept=2)
    for _ in range(100):
        lines.append(LINE)
    assert (tmp_path / "lines").stat().st_size == 100 * len(LINE)


def test_a_file_that_others_renamed_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    lines = LinesFile(path, max_bytes=1_600, kept=2)
    lines.append(LINE)
    path.rename(tmp_path / "moved-by-logrotate")
    lines.append(LINE)
    assert path.read_bytes() == LINE
    assert (tmp_path / "moved-by-logrotate").read_bytes() == LINE


def _fill(path: Path, name: str) -> None:
    lines = LinesFile(path, max_bytes=20_000, kept=100)
    for number in range(1_000):
        lines.append(f"{name} {number:03}".encode().ljust(99) + b"\n")


def test_several_processes_lose_no_line_and_tear_none(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=_fill, args=(path, name)) for name in "abcd"]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    files = [one for one in tmp_path.iterdir() if not one.name.startswith(".")]
    found = [line.split() for one in files for line in one.read_bytes().splitlines()]
    assert len(files) > 4_000 * 100 // 40_000, "a file may be longer by what others write before they notice its new name"
    assert sorted(found) == sorted([name.encode(), f"{number:03}".encode()] for name in "abcd" for number in range(1_000))

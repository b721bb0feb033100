"""`make screenshots`: starts the product on an empty database, fills it with demo executions and takes the pictures of the tour."""

import argparse
import base64
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.serving import REPOSITORY, Serving

AS_WEBP = """async (png) => {
  const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.width, image.height];
  canvas.getContext("2d").drawImage(image, 0, 0);
  return canvas.toDataURL("image/webp", 0.86);
}"""
PASSWORD = "tour-of-the-console"
EXECUTIONS = 200
DESKTOP, PHONE = (1280, 800), (390, 844)


@dataclass(frozen=True)
class Shot:
    """One picture: `address` is a path, or a filter of the list whose first execution is opened, with `rest` behind its address."""

    name: str
    address: str
    rest: str | None = None
    theme: str = "light"
    size: tuple[int, int] = DESKTOP


SHOTS = (
    Shot("overview", "/overview/?span=7d"),
    Shot("overview-dark", "/overview/?span=7d", theme="dark"),
    Shot("executions", "/executions/"),
    Shot("execution", "/executions/?function=expense-approval&state=succeeded", rest=""),
    Shot("execution-dark", "/executions/?function=order-fulfilment&state=failed", rest="", theme="dark"),
    Shot("history", "/executions/?function=order-fulfilment&state=failed", rest="?tab=history"),
    Shot("redrive", "/executions/?function=order-fulfilment&state=failed", rest="redrive/"),
    Shot("approvals", "/approvals/?box=all"),
    Shot("callbacks", "/callbacks/"),
    Shot("functions", "/functions/"),
    Shot("start", "/executions/start/?function=order-fulfilment"),
    Shot("costs", "/costs/"),
    Shot("batches", "/batches/"),
    Shot("audit", "/audit/"),
    Shot("settings", "/settings/people/"),
    Shot("components", "/components/", theme="dark"),
    Shot("overview-phone", "/overview/?span=7d", theme="dark", size=PHONE),
    Shot("approvals-phone", "/approvals/?box=all", size=PHONE),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", type=Path, default=REPOSITORY / ".data" / "screenshots", help="directory for the pictures")
    parser.add_argument("--only", help="names, comma separated")
    parser.add_argument("--address", help="a product that runs already, with PASSWORD of its admin in --password")
    parser.add_argument("--password", default=PASSWORD)
    chosen = parser.parse_args()
    chosen.into.mkdir(parents=True, exist_ok=True)
    shots = [shot for shot in SHOTS if not chosen.only or shot.name in chosen.only.split(",")]
    if chosen.address:
        take(chosen.address, chosen.password, shots, chosen.into)
        return
    with tempfile.TemporaryDirectory(prefix="durable-tour-") as directory, served(Path(directory)) as address:
        take(address, PASSWORD, shots, chosen.into)


@contextmanager
def served(directory: Path) -> Iterator[str]:
    data = directory / "data"
    serving = Serving(data, "--workers", "1", "--threads", "8", environment={"DEMO_PASSWORD": PASSWORD})
    with serving:
        serving.manage("load_demo", "--executions", str(EXECUTIONS))
        yield serving.address


def take(address: str, password: str, shots: list[Shot], into: Path) -> None:
    with sync_playwright() as playwright:
        found = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-dev-shm-usage"])
        state = signed_in(browser, address, password)
        for shot in shots:
            context = browser.new_context(
                storage_state=state,
                color_scheme="dark" if shot.theme == "dark" else "light",
                viewport={"width": shot.size[0], "height": shot.size[1]},
            )
            page = context.new_page()
            open_shot(page, address, shot)
            path = into / f"{shot.name}.webp"
            path.write_bytes(as_webp(browser, page.screenshot(animations="disabled")))
            print(f"{path} {path.stat().st_size // 1000} kB")  # noqa: T201  the command's answer
            context.close()
        browser.close()


def as_webp(browser: Browser, png: bytes) -> bytes:
    """The same picture at a third of the size, so that a few may stand in the repository; the browser has the encoder."""
    page = browser.new_page()
    encoded = page.evaluate(AS_WEBP, base64.b64encode(png).decode())
    page.close()
    return base64.b64decode(encoded.partition(",")[2])


def signed_in(browser: Browser, address: str, password: str) -> Path:
    """A file with the session of admin."""
    page = browser.new_page()
    page.goto(f"{address}/login/")
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/login" not in url)
    path = Path(tempfile.mkstemp(suffix=".json")[1])
    page.context.storage_state(path=path)
    return path


def open_shot(page: Page, address: str, shot: Shot) -> None:
    page.goto(address + shot.address)
    if shot.rest is not None:
        first = page.locator("tbody a.row-link").first.get_attribute("href")
        page.goto(f"{address}{first}{shot.rest}")
    page.wait_for_load_state("load")
    page.wait_for_timeout(900)  # figures are drawn, the navigation has its numbers


if __name__ == "__main__":
    main()

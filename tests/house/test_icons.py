"""An icon that a template names is one that is drawn."""

import re
from pathlib import Path


def test_every_icon_named_in_a_template_is_drawn(repository: Path) -> None:
    drawn = set(re.findall(r'<symbol id="([\w-]+)"', (repository / "static" / "icons.svg").read_text()))
    named = {}
    for template in sorted((repository / "templates").rglob("*.html")):
        for name in re.findall(r'\{% icon "([\w-]+)" %\}|\bimage="([\w-]+)"', template.read_text()):
            named.setdefault(name[0] or name[1], template.relative_to(repository))
    assert len(named) > 20
    assert {name: template for name, template in named.items() if name not in drawn} == {}

"""What all HTML pages of the project share: a policy that admits their own text alone, and data that stay data."""

import base64
import hashlib
import json


def admitted(text: str) -> str:
    """A source of a Content-Security-Policy that admits exactly this inline script or style."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def policy(**sources: str) -> str:
    """A Content-Security-Policy that refuses everything but `sources` (`style_src="…"`), forms and bases too."""
    admitting = [f"{name.replace('_', '-')} {source}" for name, source in sources.items()]
    return "; ".join(["default-src 'none'", *admitting, "base-uri 'none'", "form-action 'none'"])


def json_text(value: object) -> str:
    """JSON that no HTML parser can take for a tag."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False).replace("<", "\\u003c")

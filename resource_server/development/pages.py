"""The pages that a person sees: those to log in by, and those that say why not, or that it is done.

They load nothing, run nothing, and show nothing from a request that is not escaped.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from html import escape
from typing import Final
from urllib.parse import urlsplit

from starlette.responses import HTMLResponse

from resource_server.development.accounts import SCOPES

_STYLE: Final = """
:root { color-scheme: light dark; --ink: #16202c; --soft: #4d5b6b; --paper: #fff; --ground: #eef1f5; --line: #8391a1;
  --accent: #0b57b0; --on-accent: #fff; --wrong: #a4161a; --wrong-ground: #fdecec }
@media (prefers-color-scheme: dark) { :root { --ink: #e8edf3; --soft: #a9b6c4; --paper: #1a2330; --ground: #10161f;
  --line: #6d7c8d; --accent: #8dbcff; --on-accent: #0c1622; --wrong: #ffb3b3; --wrong-ground: #43191b } }
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem; background: var(--ground);
  color: var(--ink); font: 1rem/1.5 system-ui, sans-serif }
main { width: 100%; max-width: 26rem; padding: 2rem; background: var(--paper); border-radius: .75rem;
  box-shadow: 0 1px 3px #0003, 0 8px 24px #0001 }
h1 { margin: 0 0 .5rem; font-size: 1.4rem; line-height: 1.25 }
p, ul { margin: 0 0 1rem } ul { padding-left: 1.25rem } code { font-size: .9em; overflow-wrap: anywhere }
.soft { color: var(--soft); font-size: .9rem } form { margin: 0 }
.wrong { padding: .6rem .8rem; border-left: 4px solid; color: var(--wrong); background: var(--wrong-ground) }
label { display: block; margin-bottom: .25rem; font-weight: 600 }
input { width: 100%; margin-bottom: 1rem; padding: .6rem .7rem; font: inherit; color: inherit; background: transparent;
  border: 1px solid var(--line); border-radius: .4rem }
button { width: 100%; margin-bottom: .6rem; padding: .65rem; font: inherit; font-weight: 600; cursor: pointer;
  border: 1px solid var(--accent); border-radius: .4rem; color: var(--on-accent); background: var(--accent) }
button[value=deny] { color: var(--accent); background: transparent }
input:focus-visible, button:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
"""

_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

WRONG: Final = "The user name or the password is wrong."
OUT_OF_DATE: Final = "This page was out of date or already used. Please log in again."
UNKNOWN_CODE: Final = "No device waits with this code: it is mistyped, used or too old."


def login_page(
    *,
    action: str,
    hidden: Mapping[str, str],
    client_id: str,
    redirect_uri: str,
    scopes: Sequence[str],
    message: str,
) -> HTMLResponse:
    """Ask a person to log in and to allow what the client asks for."""
    body = f"""<h1>Log in for <code>{escape(client_id)}</code></h1>
<p>Then you go back to <code>{escape(redirect_uri)}</code>. {_wishes(scopes)}
{_login_form(action, hidden, message)}"""
    return _page("Log in", body, _status(message), f"'self' {_form_target(redirect_uri)}")


def device_login_page(
    *, hidden: Mapping[str, str], client_id: str, user_code: str, scopes: Sequence[str], message: str
) -> HTMLResponse:
    """Ask a person to log in for a device that shows the same code (RFC 8628 §3.3)."""
    body = f"""<h1>Log in for <code>{escape(client_id)}</code></h1>
<p>Go on only if you have started it yourself, and it shows the code <code>{escape(user_code)}</code>. {_wishes(scopes)}
{_login_form("/device", hidden, message)}"""
    return _page("Log in", body, _status(message), "'self'")


def code_page(message: str) -> HTMLResponse:
    """Ask a person for the code that a device shows."""
    body = f"""<h1>Connect a device</h1>
{_alert(message)}
<form method="get" action="/device">
<label for="user_code">The code that it shows</label>
<input id="user_code" name="user_code" autocomplete="off" autocapitalize="characters" spellcheck="false"
 required{_described(message)}>
<button>Continue</button>
</form>"""
    return _page("Connect a device", body, 404 if message else 200, "'self'")


def decided_page(*, allowed: bool) -> HTMLResponse:
    """Send the person back to the device."""
    title = "The device is connected" if allowed else "The device was refused"
    return _page(title, f"<h1>{title}</h1><p>You can close this page and return to the device.</p>", 200, "'none'")


def error_page(title: str, text: str, status: int) -> HTMLResponse:
    """Tell the person what the client can't be told, because it is not known to whom (RFC 6749 §4.1.2.1)."""
    return _page(title, f'<h1>{escape(title)}</h1><p class="wrong" role="alert">{escape(text)}</p>', status, "'none'")


def _login_form(action: str, hidden: Mapping[str, str], message: str) -> str:
    fields = "\n".join(f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in hidden.items())
    described = _described(message)
    return f"""{_alert(message)}
<form method="post" action="{escape(action)}">
{fields}
<label for="username">User name</label>
<input id="username" name="username" autocomplete="username" autocapitalize="none" spellcheck="false"
 required{described}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required{described}>
<button name="decision" value="allow">Log in and allow</button>
<button name="decision" value="deny" formnovalidate>Cancel</button>
</form>
<p class="soft">A development server: its users and their passwords are listed where it was started, and are made anew
at each start. Never type a real password here.</p>"""


def _wishes(scopes: Sequence[str]) -> str:
    """The rest of a paragraph that has been opened."""
    wishes = "".join(f"<li>{escape(SCOPES[scope])} (<code>{escape(scope)}</code>)</li>" for scope in scopes)
    return f"It asks for leave to:</p><ul>{wishes}</ul>" if wishes else "It asks for no scope.</p>"


def _alert(message: str) -> str:
    return f'<p class="wrong" id="message" role="alert">{escape(message)}</p>' if message else ""


def _described(message: str) -> str:
    return ' aria-describedby="message" aria-invalid="true"' if message else ""


def _status(message: str) -> int:
    """403 with a message: 401 would have to name an HTTP scheme to authenticate by (RFC 9110 §15.5.2)."""
    return 403 if message else 200


def _page(title: str, body: str, status: int, form_action: str) -> HTMLResponse:
    policy = (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action {form_action}; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    html = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)} – development authorization server</title>
<style>{_STYLE}</style>
</head>
<body><main>
{body}
</main></body>
</html>
"""
    return HTMLResponse(html, status, {"Content-Security-Policy": policy})


def _form_target(redirect_uri: str) -> str:
    """Give the source that Chromium must find in ``form-action`` to follow the redirect after the form."""
    parts = urlsplit(redirect_uri)
    if ":" in (parts.hostname or ""):  # a policy can't name an IPv6 address
        return f"{parts.scheme}:"
    return f"{parts.scheme}://{parts.netloc}"

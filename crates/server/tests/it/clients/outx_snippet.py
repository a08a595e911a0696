"""Signs in through the `outx` door with `requests`, in the form of the door's published pages, and prints the team's key.

    python outx_snippet.py http://127.0.0.1:8080

Only the host is ours. Where a person would type the code from their mail, this reads the inbox of `doorcode serve --dev`.
"""

import sys
import time

import requests

BASE_URL = sys.argv[1]
EMAIL = "john@example.com"

response = requests.post(
    f"{BASE_URL}/linkedin-agent/auth-send-otp",
    headers={"Content-Type": "application/json"},
    json={"email": EMAIL, "full_name": "John Doe"},
)
response.raise_for_status()
assert response.json() == {"success": True, "email": EMAIL}


def code_from_the_mail(used=()):
    for _ in range(600):
        mails = requests.get(f"{BASE_URL}/dev/inbox.json", params={"to": EMAIL}).json()
        codes = [mail["code"] for mail in mails if mail["code"] not in used]
        if codes:
            return codes[0]
        time.sleep(0.1)
    raise SystemExit("no mail came")


# A second run of this script finds the first one's used code in the inbox, until its own mail is there.
response = None
tried = []
while response is None or response.status_code == 401:
    tried.append(code_from_the_mail(tried))
    response = requests.post(
        f"{BASE_URL}/linkedin-agent/auth-verify-otp",
        headers={"Content-Type": "application/json"},
        json={"email": EMAIL, "otp": tried[-1]},
    )
response.raise_for_status()
print(response.json()["team"]["api_key"])

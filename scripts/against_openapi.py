"""Holds a running server against the document that it serves: schemathesis makes requests for every operation of
/openapi.json, good and bad ones, and no answer may be a defect, or have a status, a type or a shape that the document lacks.

    .tools/venv/bin/python scripts/against_openapi.py target/debug/doorcode [--include-tag agentotp …]

The server is its own: in development, in a folder that goes with it, on a free port of this machine, with limits that do
not stand in the way. It is stopped by the process that was started. This file is also what schemathesis loads for `before_call`.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import requests
import schemathesis

# Left out are those that ask whether a schema says all: not every rule of an address, a language or a cursor can be said in one.
CHECKS = ",".join((
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance",
    "ignored_auth", "missing_required_header", "unsupported_method", "allow_header_conformance",
))

# What counts is not how many requests come.
RELAY = ("AGENT_MINUTE", "OWNER_MINUTE", "CAPTURES_DAY", "PROMPTS")
LIMITS = ("SEND__NETWORK_HOUR", "SEND__WIDE_HOUR", "SEND__ORG_DAY", "GUESS__NETWORK_HOUR", "GUESS__WIDE_HOUR", "GUESS__ORG_HOUR")

# Where the ids of the key and of the user stand that all requests are made with; and, as JSON, ids that the relay has.
OURS = "AGAINST_OPENAPI_OURS"
RELAYED = "AGAINST_OPENAPI_RELAYED"
NOBODY = "00000000-0000-7000-8000-000000000000"
# Whose codes the relay's agent asks for.
PERSON = "bob@example.com"


@schemathesis.hook
def before_call(_context, case, _kwargs):
    """Ids in lists are tried, and to revoke the key of all requests would make every later answer a 401."""
    if case.path_parameters.get("id") in os.environ.get(OURS, "").split():
        case.path_parameters["id"] = NOBODY
    said = case.operation.definition.raw
    if "agentotp" in said.get("tags", ()):
        name_what_is_there(case, json.loads(os.environ[RELAYED]))


def name_what_is_there(case, relayed):
    """An id that there is, in two of three good requests of the relay; and no long wait, which is what a good one is."""
    if case.query and str(case.query.get("wait", "")).isdigit():
        case.query["wait"] = 0
    known, text = relayed.get(case.operation.path.split("/")[2], ()), str(case.path_parameters.get("id", ""))
    if case.method == "DELETE":
        # Lists are read here too, and whoever removes the device or the agent has no key for the rest.
        if text in relayed["kept"]:
            case.path_parameters["id"] = text[:-22] + 22 * "A"
    elif known and text.isascii() and len(text) > 20 and ord(text[-1]) % 3:
        case.path_parameters["id"] = known[ord(text[-1]) % len(known)]


def start(binary, folder):
    """A server on a free port: the process, and its address."""
    raised = {f"DOORCODE_LIMITS__{name}": "1000000000" for name in LIMITS}
    raised |= {f"DOORCODE_RELAY__{name}": "1000000000" for name in RELAY}
    # Somebody may have an address for forwarded mail.
    raised |= {"DOORCODE_CAPTURE__INBOUND__LISTEN": "127.0.0.1:0", "DOORCODE_CAPTURE__INBOUND__DOMAIN": "in.example.com"}
    command = [binary, "serve", "--dev", "--data", f"{folder}/data", "--listen", "127.0.0.1:0"]
    with open(f"{folder}/log", "w") as log:
        server = subprocess.Popen(command, env=os.environ | raised, stdout=subprocess.PIPE, stderr=log, text=True)
    for line in server.stdout:
        if line.startswith("listening on "):
            return server, line.removeprefix("listening on ").strip()
    server.wait(60)
    raise SystemExit(f"the server does not listen:\n{pathlib.Path(folder, 'log').read_text()}")


def key_from_the_front_door(base, email):
    """Signs in, as anybody does."""
    requests.post(f"{base}/linkedin-agent/auth-send-otp", json={"email": email}).raise_for_status()
    for _ in range(600):
        inbox = requests.get(f"{base}/dev/inbox.json", params={"to": email}).json()
        if inbox:
            break
        time.sleep(0.1)
    body = {"email": email, "otp": inbox[0]["code"]}
    verified = requests.post(f"{base}/linkedin-agent/auth-verify-otp", json=body)
    verified.raise_for_status()
    return verified.json()["team"]["api_key"]


def ids(base, key):
    """The ids of whatever the org has at its beginning."""
    lists = [requests.get(f"{base}/v1/{name}", headers={"Authorization": f"Bearer {key}"}) for name in ("keys", "users")]
    return [one["id"] for found in lists for one in found.json()["data"]]


def relay(binary, base, folder):
    """A person, an agent with requests in some states, another one to be changed, and a collector: their keys and ids, for the hook and
    for schemathesis.toml. Nobody is added to the person's team, so that its key goes on to be theirs; the other team gets members."""
    key = key_from_the_front_door(base, PERSON)

    def call(path, body, by=key):
        answer = requests.post(base + path, json=body, headers={"Authorization": f"Bearer {by}"})
        answer.raise_for_status()
        return answer.json()

    agent, other = (call("/v1/agents", {"name": name}) for name in ("asks", "is changed"))
    command = [binary, "collector", "create", "--dev", "--data", f"{folder}/data", "--owner", PERSON, "--json"]
    device = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    hpke = "hpke-x25519:CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    wish = {"reason": "r", "expectedSender": "noreply@shop.example", "publicKey": hpke, "ttl": 3600}
    otps = [call("/v1/otp/request", wish, agent["api_key"])["id"] for _ in range(4)]
    call(f"/v1/otp/{otps[0]}/approve", {})
    call(f"/v1/otp/{otps[1]}/deny", {})
    keys = {"AGAINST_OPENAPI_PERSON": key, "AGAINST_OPENAPI_AGENT": agent["api_key"], "AGAINST_OPENAPI_DEVICE": device["api_key"]}
    # An agent that is changed is not the one that asks.
    there = {"otp": otps, "agents": [other["id"]], "policies": [other["id"]], "kept": [agent["id"], device["id"]]}
    return keys | {RELAYED: json.dumps(there)}


def run(binary, base, key, folder):
    here, tool = pathlib.Path(__file__).resolve().parent, pathlib.Path(sys.executable).absolute().with_name("st")
    command = [tool, "--config-file", here / "schemathesis.toml", "run", f"{base}/openapi.json"]
    command += ["--checks", CHECKS, "--phases", "examples,coverage,fuzzing", "--no-color", *sys.argv[2:]]
    hooks = {"SCHEMATHESIS_HOOKS": os.path.abspath(__file__), OURS: " ".join(ids(base, key))}
    hooks |= relay(binary, base, folder) | {"AGAINST_OPENAPI_KEY": key}
    # It leaves notes where it runs, and begins with them the next time: there is no next time.
    return subprocess.run(command, cwd=folder, env=os.environ | hooks, check=False).returncode


def main():
    with tempfile.TemporaryDirectory() as folder:
        server, base = start(sys.argv[1], folder)
        try:
            return run(sys.argv[1], base, key_from_the_front_door(base, "ada@example.com"), folder)
        finally:
            server.terminate()
            server.wait(60)


if __name__ == "__main__":
    sys.exit(main())

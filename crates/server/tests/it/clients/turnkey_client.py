"""turnkey-http, Turnkey's client for Python, does what journey.mjs does and says the same lines. It has no cryptography but its stamper: keys
are made, and bundles opened, by `doorcode seal`."""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from turnkey_api_key_stamper import ApiKeyStamper, ApiKeyStamperConfig
from turnkey_http import TurnkeyClient
from turnkey_sdk_types import (
    CreateApiKeysBody,
    CreateSubOrganizationBody,
    DeleteApiKeysBody,
    GetApiKeysBody,
    InitOtpAuthBody,
    OtpAuthBody,
    TurnkeyError,
    v1ApiKeyParamsV2,
    v1RootUserParamsV4,
)

SERVER, ORGANIZATION, DOORCODE = (os.environ[name] for name in ("SERVER", "ORGANIZATION", "DOORCODE"))
FOLDER = Path(tempfile.mkdtemp(dir=os.environ["FOLDER"]))


def signing(public, private, organization):
    stamper = ApiKeyStamper(ApiKeyStamperConfig(api_public_key=public, api_private_key=private))
    return TurnkeyClient(base_url=SERVER, stamper=stamper, organization_id=organization)


def public_half(private):
    point = ec.derive_private_key(int(private, 16), ec.SECP256R1()).public_key()
    return point.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint).hex()


def doorcode(*arguments):
    return subprocess.run([DOORCODE, *arguments], check=True, capture_output=True, text=True).stdout.strip()


def new_key(name):
    """A key of the device: its file, and its public half, compressed and not."""
    file = str(FOLDER / name)
    made = json.loads(doorcode("seal", "key", "--json", "--out", file))
    return file, made["compressed"], made["uncompressed"]


PARENT = signing(os.environ["PUBLIC_KEY"], os.environ["PRIVATE_KEY"], ORGANIZATION)


class Person:
    """Somebody of an organisation of their own, who was sent a code."""

    def __init__(self, name, **shape):
        self.email = f"{name}.python@example.com"
        user = v1RootUserParamsV4(userName=self.email, userEmail=self.email, apiKeys=[], authenticators=[], oauthProviders=[])
        body = CreateSubOrganizationBody(subOrganizationName=self.email, rootUsers=[user], rootQuorumThreshold=1)
        made = PARENT.create_sub_organization(body)
        self.organization, self.user = made.subOrganizationId, made.rootUserIds[0]
        ask = InitOtpAuthBody(
            organizationId=self.organization, otpType="OTP_TYPE_EMAIL", contact=self.email, appName="Acme", **shape
        )
        self.otp_id = PARENT.init_otp_auth(ask).otpId
        self.code = self.mailed()

    def mailed(self):
        while True:
            mails = requests.get(f"{SERVER}/dev/inbox.json", params={"to": self.email}, timeout=30).json()
            if mails:
                return mails[0]["code"]
            time.sleep(0.05)

    def redeem(self, code, seconds=None):
        """What their device gets for a code: the answer, and a client that signs with the key in it."""
        file, _, target = new_key(f"{self.email}.{time.monotonic_ns()}")
        body = OtpAuthBody(
            organizationId=self.organization,
            otpId=self.otp_id,
            otpCode=code,
            targetPublicKey=target,
            expirationSeconds=seconds,
        )
        got = PARENT.otp_auth(body)
        private = doorcode("seal", "open", "--key", file, got.credentialBundle)
        return got, signing(public_half(private), private, self.organization)


def refusal(call):
    try:
        call()
    except TurnkeyError as error:
        return str(error)
    sys.exit("that was to be refused")


def keys(client, user):
    return client.get_api_keys(GetApiKeysBody(userId=user)).apiKeys


ada = Person("ada")
print(f"code: {len(ada.code)} characters")
got, signer = ada.redeem(ada.code)
print("sealed: for", "the user" if got.userId == ada.user else "somebody else")
who = signer.get_whoami()
print("whoami:", "the user" if (who.userId, who.organizationId) == (ada.user, ada.organization) else "somebody else")

seen = keys(signer, ada.user)
print("keys:", ",".join(f"{key.credential.type.value}, {key.expirationSeconds} s" for key in seen))
file, public, _ = new_key("second")
second = v1ApiKeyParamsV2(apiKeyName="second", publicKey=public, curveType="API_KEY_CURVE_P256")
second_id = signer.create_api_keys(CreateApiKeysBody(userId=ada.user, apiKeys=[second])).apiKeyIds[0]
print(f"added: {len(keys(signer, ada.user))} keys")
other = signing(public, Path(file).read_text().strip(), ada.organization)
gone = other.delete_api_keys(DeleteApiKeysBody(userId=ada.user, apiKeyIds=[got.apiKeyId])).apiKeyIds
print("deleted:", "that one" if gone == [got.apiKeyId] else "another")
left = keys(other, ada.user)
print("left:", ",".join("the second" if key.apiKeyId == second_id else "another" for key in left))
print("deleted key:", refusal(signer.get_whoami))

brief = Person("brief")
_, signer = brief.redeem(brief.code, "1")
time.sleep(1.1)
print("expired key:", refusal(signer.get_whoami))

clumsy = Person("clumsy", otpLength=6, alphanumeric=False)
print("digits:", "true" if re.fullmatch(r"\d{6}", clumsy.code) else "false")
wrong = ("8" if clumsy.code[0] == "7" else "7") + clumsy.code[1:]
for turn in ("first", "second", "third"):
    print(f"wrong code, {turn}:", refusal(lambda: clumsy.redeem(wrong)))
print("right code, locked:", refusal(lambda: clumsy.redeem(clumsy.code)))

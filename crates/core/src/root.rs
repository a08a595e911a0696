//! Master keys, and the roots that are derived from them: one per use, so that what one use gives away says nothing
//! about another. Refuses to print a key, to make one (32 random bytes are handed in), and to derive without saying
//! what for. Master keys live in files outside the database; the database holds their check values only.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hkdf::Hkdf;
use hmac::digest::FixedOutput as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::{Zeroize as _, Zeroizing};

use crate::error::{Error, Result};
use crate::secret::Secret;

/// Starts every HKDF info, so that a later scheme can derive other keys from the same master.
const SCHEME: &[u8] = b"doorcode/v1/";

/// The first word of a key file.
const FILE_MARK: &str = "doorcode-master-v1";

/// The name of a master key: eight of `a-z0-9`. Not secret; stored with whatever was derived under the key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kid([u8; 8]);

impl Kid {
    /// A name out of eight random bytes. Names need to differ, not to be uniform.
    pub fn pick(random: [u8; 8]) -> Self {
        Self(random.map(|byte| b"0123456789abcdefghijklmnopqrstuvwxyz"[usize::from(byte % 36)]))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        // Only ASCII gets in.
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for Kid {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match <[u8; 8]>::try_from(text.as_bytes()) {
            Ok(name) if name.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) => Ok(Self(name)),
            _ => Err(Error::Invalid { field: "key id", why: "must be eight of a-z and 0-9" }),
        }
    }
}

impl fmt::Display for Kid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Kid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// 32 secret bytes and their name: what every code, link and key of an installation is derived from.
#[derive(Clone)]
pub struct MasterKey {
    kid: Kid,
    bytes: Secret<[u8; 32]>,
}

impl MasterKey {
    /// Of a name and 32 bytes from a cryptographic source.
    pub const fn from_parts(kid: Kid, bytes: [u8; 32]) -> Self {
        Self { kid, bytes: Secret::new(bytes) }
    }

    /// Reads the file form, one line: `doorcode-master-v1 <kid> <base64 of 32 bytes>`.
    ///
    /// # Errors
    /// `Invalid` for anything else, and for 32 zero bytes, which nobody drew.
    pub fn parse(line: &str) -> Result<Self> {
        const BASE64_OF_32: usize = 44;
        let bad = |why| Error::Invalid { field: "master key", why };
        let mut words = line.trim_ascii().split(' ');
        let (Some(FILE_MARK), Some(kid), Some(base64), None) = (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(bad("must be one line: doorcode-master-v1 <kid> <base64>"));
        };
        // The decoder asks for room by the length of its input, padding included.
        let mut room = Zeroizing::new([0; 33]);
        if base64.len() != BASE64_OF_32 || STANDARD.decode_slice(base64, room.as_mut_slice()).ok() != Some(32) {
            return Err(bad("must hold 32 bytes in base64"));
        }
        let mut bytes = [0; 32];
        bytes.copy_from_slice(&room[..32]);
        let key = Self::from_parts(kid.parse()?, bytes);
        bytes.zeroize();
        if key.bytes.expose() == &[0; 32] { Err(bad("must not be zeros")) } else { Ok(key) }
    }

    /// The file form, without a line end.
    pub fn encode(&self) -> Secret<String> {
        let base64 = Zeroizing::new(STANDARD.encode(self.bytes.expose()));
        Secret::new(format!("{FILE_MARK} {} {}", self.kid, *base64))
    }

    /// The name.
    pub const fn kid(&self) -> Kid {
        self.kid
    }

    /// Says whether this is the key that the database was used with. Safe to store: it is derived under a label of its
    /// own, and 16 bytes of it tell nothing about any other output.
    pub fn check_value(&self) -> [u8; 16] {
        let mut value = [0; 16];
        self.expand(b"check", &mut value);
        value
    }

    /// The root for one use: `HKDF-SHA256(master, info = "doorcode/v1/" + label)`.
    pub fn root(&self, use_: Use) -> Root {
        // HMAC fills a key shorter than its block with zeros; filled here, there is nothing that could fail.
        let mut block = Zeroizing::new([0; 64]);
        self.expand(use_.label().as_bytes(), &mut block[..32]);
        Root(Hmac::new((&*block).into()))
    }

    fn expand(&self, label: &[u8], out: &mut [u8]) {
        Hkdf::<Sha256>::new(None, self.bytes.expose())
            .expand_multi_info(&[SCHEME, label], out)
            .expect("HKDF-SHA256 gives up to 8160 bytes, and no caller here asks for more than 32");
    }
}

/// What a root is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Use {
    /// One-time codes.
    Code,
    /// Link tokens.
    Link,
    /// API keys that can be shown again.
    ApiKey,
    /// The digest by which a presented API key is found.
    ApiKeyLookup,
    /// Client secrets that can be shown again.
    ClientSecret,
    /// The digest by which a presented client secret is found.
    ClientSecretLookup,
    /// The key that signs tokens ([`crate::token`]).
    Token,
    /// What browsers and apps present of their sessions ([`crate::session`]).
    Session,
    /// The mail header by which this installation knows its own messages (docs/threat-model.md).
    Header,
    /// Secrets by which receivers know our webhooks.
    Webhook,
    /// The chain over a person's record.
    Audit,
    /// Tickets that open a socket ([`crate::ticket`]).
    Ticket,
    /// The key by which push services know this server ([`crate::push`]).
    Push,
    /// Paths, addresses and secrets by which a person's messages are pushed here.
    Hook,
    /// Secrets that others gave into our keeping.
    Vault,
    /// The digest by which a person's message is known again.
    Message,
    /// The digest by which a signed call is found again ([`crate::stamp::BodyPrint`]).
    Activity,
    /// The keys that codes are sealed to on their way back ([`crate::seal::turnkey`]).
    OtpTarget,
    /// The key that signs those, and the verification tokens of signed calls.
    Verification,
    /// The key of verification tokens of the old form.
    OldVerification,
    /// The key that signs sessions of signed calls.
    Notary,
}

impl Use {
    /// The word in the HKDF info. Changing one changes every value derived under it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Link => "link",
            Self::ApiKey => "api-key",
            Self::ApiKeyLookup => "api-key-lookup",
            Self::ClientSecret => "client-secret",
            Self::ClientSecretLookup => "client-secret-lookup",
            Self::Token => "token",
            Self::Session => "session",
            Self::Header => "header",
            Self::Webhook => "webhook",
            Self::Audit => "audit",
            Self::Ticket => "ticket",
            Self::Push => "push",
            Self::Hook => "hook",
            Self::Vault => "vault",
            Self::Message => "message",
            Self::Activity => "activity",
            Self::OtpTarget => "otp-target",
            Self::Verification => "verification",
            Self::OldVerification => "old-verification",
            Self::Notary => "notary",
        }
    }
}

/// The key of one use, as the HMAC state that it leads to: using it copies some 200 bytes and allocates nothing.
#[derive(Clone)]
pub struct Root(Hmac<Sha256>);

impl Root {
    /// HMAC-SHA-256 over the parts, each after its length as four big-endian bytes: no two lists of parts read the same.
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        self.absorb(parts).finalize().into_bytes().into()
    }

    /// The first half of [`Self::mac`], for what is looked up or told apart by it.
    pub fn short_mac(&self, parts: &[&[u8]]) -> [u8; 16] {
        let mut half = [0; 16];
        half.copy_from_slice(&self.mac(parts)[..16]);
        half
    }

    /// A root of 32 random bytes that are used once, not of a master key.
    pub(crate) fn of_seed(seed: &[u8; 32]) -> Self {
        let mut block = Zeroizing::new([0; 64]);
        block[..32].copy_from_slice(seed);
        Self(Hmac::new((&*block).into()))
    }

    /// A private key of P-256: the first of the numbers under this label that is one (all but one in 2^32 are).
    ///
    /// # Errors
    /// `Internal` if none of a hundred is one, which does not happen.
    pub(crate) fn p256_key(&self, label: &[u8]) -> Result<p256::SecretKey> {
        let mut numbers = (0_u32..100).map(|counter| Zeroizing::new(self.mac(&[label, &counter.to_be_bytes()])));
        let key = numbers.find_map(|number| p256::SecretKey::from_slice(number.as_slice()).ok());
        key.ok_or_else(|| Error::internal("no private key could be derived"))
    }

    /// Endless bytes for these parts: block *n* is [`Root::mac`] over the parts and *n* as four big-endian bytes.
    pub(crate) fn stream(&self, parts: &[&[u8]]) -> Stream {
        Stream { mac: self.absorb(parts), blocks: 0, block: Zeroizing::new([0; 32]), used: 32 }
    }

    fn absorb(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        for part in parts {
            feed(&mut mac, part);
        }
        mac
    }
}

fn feed(mac: &mut Hmac<Sha256>, part: &[u8]) {
    // Nothing near four gigabytes is ever derived from; saturating keeps the function total.
    mac.update(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
    mac.update(part);
}

/// The bytes of [`Root::stream`].
pub(crate) struct Stream {
    mac: Hmac<Sha256>,
    blocks: u32,
    block: Zeroizing<[u8; 32]>,
    used: usize,
}

impl Stream {
    /// Appends `count` symbols, each drawn uniformly: a byte that would favour the first symbols is passed over.
    pub(crate) fn draw(&mut self, symbols: &[u8], count: usize, out: &mut String) {
        let fair = 256 - 256 % symbols.len();
        let end = out.len() + count;
        while out.len() < end {
            let byte = usize::from(self.byte());
            if byte < fair {
                out.push(char::from(symbols[byte % symbols.len()]));
            }
        }
    }

    /// The next bytes.
    pub(crate) fn fill(&mut self, out: &mut [u8]) {
        out.iter_mut().for_each(|byte| *byte = self.byte());
    }

    fn byte(&mut self) -> u8 {
        if self.used == self.block.len() {
            let mut mac = self.mac.clone();
            feed(&mut mac, &self.blocks.to_be_bytes());
            mac.finalize_into((&mut *self.block).into());
            self.blocks += 1;
            self.used = 0;
        }
        self.used += 1;
        self.block[self.used - 1]
    }
}

//! What a signed-in browser or app presents: a session's id with what this presentation of it is for, under a MAC. Derived, so
//! that the database holds nothing to steal, and so that one which was rotated away is still known as this session's: that is
//! how a stolen one shows. Refuses to be read as anything but what it was made for.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;

use crate::id::SessionId;
use crate::root::Root;
use crate::secret::Secret;
use crate::time::Timestamp;

/// What is presented.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `dsc_…`: a browser's cookie.
    Cookie,
    /// `dsa_…`: what an app shows with each request, for minutes.
    Access,
    /// `dsr_…`: what an app exchanges for the next two, once.
    Refresh,
    /// `dsx_…`: what a browser brings an app, which exchanges it for the first two, once.
    Code,
    /// `dsp_…`: what a browser brings an app that had a link sent; its program shows it in place of the code, within a minute. The
    /// id is the challenge's, the seed its salt.
    Pressed,
}

impl Kind {
    const ALL: [Self; 5] = [Self::Cookie, Self::Access, Self::Refresh, Self::Code, Self::Pressed];

    /// How it begins. In what is derived, so that no kind is another.
    const fn prefix(self) -> &'static str {
        match self {
            Self::Cookie => "dsc_",
            Self::Access => "dsa_",
            Self::Refresh => "dsr_",
            Self::Code => "dsx_",
            Self::Pressed => "dsp_",
        }
    }
}

/// What it says of itself. Nothing of it counts before [`Presented::is_of`] has said so.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Claim {
    /// What it is.
    pub kind: Kind,
    /// Whose.
    pub id: SessionId,
    /// How often the session had been refreshed when it was made.
    pub generation: u32,
    /// Its end, to the second.
    pub until: Timestamp,
}

/// Bytes of a claim: id, generation, end.
const CLAIM: usize = 16 + 4 + 8;
/// Bytes of the MAC: 256 bits.
const MAC: usize = 32;
/// Characters behind the prefix: base64url of both.
const ENCODED: usize = (CLAIM + MAC) * 4 / 3;

impl Claim {
    /// The token, under a root of [`crate::Use::Session`]; `seed` is 16 random bytes of the session's row.
    pub fn encode(&self, root: &Root, seed: &[u8; 16]) -> Secret<String> {
        let mut token = String::with_capacity(4 + ENCODED);
        token.push_str(self.kind.prefix());
        let mut bytes = [0; CLAIM + MAC];
        bytes[..CLAIM].copy_from_slice(&self.bytes());
        bytes[CLAIM..].copy_from_slice(&self.mac(root, seed));
        URL_SAFE_NO_PAD.encode_string(bytes, &mut token);
        Secret::new(token)
    }

    fn bytes(&self) -> [u8; CLAIM] {
        let mut bytes = [0; CLAIM];
        bytes[..16].copy_from_slice(self.id.as_bytes());
        bytes[16..20].copy_from_slice(&self.generation.to_be_bytes());
        bytes[20..].copy_from_slice(&self.until.millis().div_euclid(1000).to_be_bytes());
        bytes
    }

    fn mac(&self, root: &Root, seed: &[u8; 16]) -> [u8; MAC] {
        root.mac(&[self.kind.prefix().as_bytes(), &self.bytes(), seed])
    }
}

/// A token as it came.
#[derive(Clone)]
pub struct Presented {
    /// What it says of itself.
    pub claim: Claim,
    mac: [u8; MAC],
}

impl Presented {
    /// Reads a token of one kind. Not a proof yet: whose it is says its row, and whether it is theirs [`Self::is_of`].
    pub fn read(kind: Kind, text: &str) -> Option<Self> {
        let text = text.strip_prefix(kind.prefix()).filter(|rest| rest.len() == ENCODED)?;
        let bytes: [u8; CLAIM + MAC] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let (id, rest) = bytes.split_first_chunk::<16>()?;
        let (generation, rest) = rest.split_first_chunk::<4>()?;
        let (until, mac) = rest.split_first_chunk::<8>()?;
        let seconds = i64::from_be_bytes(*until);
        let claim = Claim {
            kind,
            id: SessionId::from_bytes(*id),
            generation: u32::from_be_bytes(*generation),
            until: Timestamp::from_millis(seconds.checked_mul(1000)?),
        };
        Some(Self { claim, mac: mac.try_into().ok()? })
    }

    /// The kind that a text seems to be.
    pub fn kind_of(text: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| text.starts_with(kind.prefix()))
    }

    /// Whether it was made here, for the session with this seed.
    pub fn is_of(&self, root: &Root, seed: &[u8; 16]) -> bool {
        self.claim.mac(root, seed).ct_eq(&self.mac).into()
    }
}

//! The parameters of an activity, held against its table and then asked for by name. Refuses to be made of what the table does not allow, so
//! that whoever asks has only absent and right to tell apart.

use serde_json::{Map, Value};

use super::field::{self, Field, Form};
use super::kind::Kind;
use super::rules;
use crate::address::{Address, Email, Phone};
use crate::code::Shape;
use crate::error::Error;
use crate::stamp::{Curve, PublicKey, Refusal};

/// What stands in the place of a code or a token. A member is never left out: there are clients that need it to be there.
pub const MASK: &str = "********";

/// Parameters that are what their table says.
#[derive(Clone, Copy)]
pub struct Parameters<'a> {
    kind: Kind,
    members: &'a Map<String, Value>,
}

impl<'a> Parameters<'a> {
    /// Holds the parameters of an activity of this kind against its table.
    ///
    /// # Errors
    /// The first thing that is wrong, in the order of the table.
    pub fn check(kind: Kind, members: &'a Map<String, Value>) -> Result<Self, Refusal> {
        field::judge(kind.parameters(), members)?;
        Ok(Self { kind, members })
    }

    /// Of which kind.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// A member, if it is there and the table has it: what no table names was not looked at, and is not read.
    pub fn get(&self, name: &str) -> Option<&'a Value> {
        let known = self.kind.parameters().iter().any(|field| field.name == name);
        field::present(self.members, name).filter(|_| known)
    }

    /// A member that is a text.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        self.get(name)?.as_str()
    }

    /// A member that is an object.
    pub fn object(&self, name: &str) -> Option<&'a Map<String, Value>> {
        self.get(name)?.as_object()
    }

    /// Whether a switch is on; off if it is absent.
    pub fn flag(&self, name: &str) -> bool {
        self.get(name).and_then(Value::as_bool).unwrap_or_default()
    }

    /// A key of P-256, if there is one.
    pub fn maybe_key(&self, name: &str) -> Option<PublicKey> {
        PublicKey::parse(Curve::P256, self.text(name)?)
    }

    /// A key of P-256.
    ///
    /// # Errors
    ///
    /// [`Refusal::Request`] where there is none.
    pub fn key(&self, name: &'static str) -> Result<PublicKey, Refusal> {
        self.maybe_key(name).ok_or(Refusal::Request { field: name, why: field::KEY_WORDS })
    }

    /// `expirationSeconds`, or what the table says of its absence. None: the kind has none, or it is for ever.
    pub fn expiration(&self) -> Option<u32> {
        let field = self.kind.parameters().iter().find(|field| field.name == "expirationSeconds")?;
        let (usual, most) = match field.form {
            Form::Seconds(usual, most) => (Some(usual), most),
            Form::Life(usual, most) => (usual, most),
            _ => return None,
        };
        self.get(field.name).and_then(|value| field::seconds(value, most)).or(usual)
    }

    /// Seconds that what it makes lives, where that has an end whatever is said.
    ///
    /// # Errors
    /// `Internal`: what this kind makes has no end, or lives for ever where nothing is said.
    pub fn life(&self) -> Result<u32, Error> {
        self.expiration().ok_or_else(|| Error::internal("this kind of activity makes nothing that has to end"))
    }

    /// What the code of a start looks like.
    ///
    /// # Errors
    /// `Request` for a length that codes don't have, which the table has refused already.
    pub fn shape(&self) -> Result<Shape, Refusal> {
        let length = self.get("otpLength").and_then(field::number).and_then(|length| u8::try_from(length).ok());
        rules::shape(length, self.get("alphanumeric").and_then(Value::as_bool))
    }

    /// Where the code of a start goes.
    ///
    /// # Errors
    /// `Email`, or `Request` for a number that is none.
    pub fn contact(&self) -> Result<Address, Refusal> {
        let contact = self.text("contact").unwrap_or_default();
        if self.text("otpType") == Some("OTP_TYPE_SMS") {
            let why = "must be a phone number in E.164";
            return Phone::parse(contact).map(Address::from).map_err(|_| Refusal::Request { field: "contact", why });
        }
        Email::parse(contact).map(Address::from).map_err(|_| Refusal::Email)
    }

    /// What may be kept and shown of them: the members of the table that are there, with every code and token masked.
    pub fn masked(&self) -> Map<String, Value> {
        masked(self.kind.parameters(), self.members)
    }
}

fn masked(fields: &[Field], members: &Map<String, Value>) -> Map<String, Value> {
    let named = fields.iter().filter_map(|field| {
        let value = field::present(members, field.name)?;
        let kept = match (field.form, value) {
            (form, _) if form.is_secret() => Value::from(MASK),
            (Form::Object(fields), Value::Object(members)) => Value::Object(masked(fields, members)),
            (Form::Each(fields, ..), Value::Array(list)) => {
                let objects = list.iter().filter_map(Value::as_object);
                Value::Array(objects.map(|members| Value::Object(masked(fields, members))).collect())
            }
            (_, value) => value.clone(),
        };
        Some((field.name.to_owned(), kept))
    });
    named.collect()
}

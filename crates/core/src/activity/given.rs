//! Keys and users that come with an activity. Refuses a key that is no point of its curve, and one that comes twice.

use serde_json::{Map, Value};

use super::field::{present, seconds};
use super::parameters::Parameters;
use super::rules::GIVEN_KEY_LIFE_MOST;
use crate::address::{Email, Phone};
use crate::json::text;
use crate::stamp::{Curve, PublicKey, Refusal};

/// A key that somebody gives to a user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewKey {
    /// What it is called.
    pub name: String,
    /// The public half.
    pub key: PublicKey,
    /// Seconds that it lives; none: for ever.
    pub life: Option<u32>,
}

/// A user that comes with an organisation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewUser {
    /// The name.
    pub name: String,
    /// An address, which nobody has proved by being named here.
    pub email: Option<Email>,
    /// A number, likewise.
    pub phone: Option<Phone>,
    /// Keys.
    pub keys: Vec<NewKey>,
}

impl Parameters<'_> {
    /// The keys that are given to a user.
    ///
    /// # Errors
    /// `Request` for a key that is none, or that comes twice.
    pub fn api_keys(&self) -> Result<Vec<NewKey>, Refusal> {
        distinct(keys(self.get("apiKeys"))?)
    }

    /// The users that come with an organisation.
    ///
    /// # Errors
    /// As [`Parameters::api_keys`], over all of them; and `Request` for an address that two of them have.
    pub fn root_users(&self) -> Result<Vec<NewUser>, Refusal> {
        let users: Vec<NewUser> = objects(self.get("rootUsers")).map(user).collect::<Result<_, _>>()?;
        distinct(users.iter().flat_map(|user| user.keys.clone()).collect())?;
        let shared = "is another user's as well";
        if has_twins(users.iter().filter_map(|user| user.email.as_ref())) {
            return Err(Refusal::Request { field: "userEmail", why: shared });
        }
        if has_twins(users.iter().filter_map(|user| user.phone.as_ref())) {
            return Err(Refusal::Request { field: "userPhoneNumber", why: shared });
        }
        Ok(users)
    }
}

fn objects(list: Option<&Value>) -> impl Iterator<Item = &Map<String, Value>> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
}

fn user(members: &Map<String, Value>) -> Result<NewUser, Refusal> {
    let email = text(members, "userEmail").map(Email::parse).transpose().map_err(|_| Refusal::Email)?;
    let phone = text(members, "userPhoneNumber").map(Phone::parse).transpose();
    let phone =
        phone.map_err(|_| Refusal::Request { field: "userPhoneNumber", why: "must be a phone number in E.164" })?;
    let name = text(members, "userName").unwrap_or_default().to_owned();
    Ok(NewUser { name, email, phone, keys: keys(members.get("apiKeys"))? })
}

fn keys(list: Option<&Value>) -> Result<Vec<NewKey>, Refusal> {
    objects(list).map(key).collect()
}

fn key(members: &Map<String, Value>) -> Result<NewKey, Refusal> {
    let curve = text(members, "curveType").and_then(Curve::of_name);
    let key = curve.and_then(|curve| PublicKey::parse(curve, text(members, "publicKey")?));
    let key = key.ok_or(Refusal::Request { field: "publicKey", why: "is no public key of its curve" })?;
    let life = present(members, "expirationSeconds").and_then(|life| seconds(life, GIVEN_KEY_LIFE_MOST));
    Ok(NewKey { name: text(members, "apiKeyName").unwrap_or_default().to_owned(), key, life })
}

fn distinct(keys: Vec<NewKey>) -> Result<Vec<NewKey>, Refusal> {
    match has_twins(keys.iter().map(|key| key.key)) {
        true => Err(Refusal::Request { field: "publicKey", why: "comes twice" }),
        false => Ok(keys),
    }
}

/// There are some dozens at the most.
fn has_twins<T: PartialEq>(all: impl Iterator<Item = T>) -> bool {
    let all: Vec<T> = all.collect();
    all.iter().enumerate().any(|(at, one)| all[at + 1..].contains(one))
}

#[cfg(test)]
mod tests {
    use super::super::kind::Kind;
    use super::*;
    use serde_json::json;

    const KEY: &str = "0351a7580833898ea1b183cbd7350a4099078c6ef1c1e18e970cd7683035f25e7d";

    fn given(keys: &Value) -> Result<Vec<NewKey>, Refusal> {
        let members = json!({ "userId": "0198f3b0-0000-7000-8000-000000000001", "apiKeys": keys });
        let members = members.as_object().unwrap();
        Parameters::check(Kind::CreateApiKeysV2, members)?.api_keys()
    }

    fn key(public: &str, life: &Value) -> Value {
        json!({ "apiKeyName": "k", "publicKey": public, "curveType": "API_KEY_CURVE_P256", "expirationSeconds": life })
    }

    #[test]
    fn a_key_is_a_point_and_comes_once() {
        let given_once = given(&json!([key(KEY, &json!("60"))])).unwrap();
        assert_eq!((given_once[0].key.to_hex().as_str(), given_once[0].life), (KEY, Some(60)));
        assert_eq!(given(&json!([key(KEY, &Value::Null)])).unwrap()[0].life, None);
        // No coordinate is so large.
        let off = format!("03{}", "f".repeat(64));
        for bad in [json!([key(&off, &json!(1))]), json!([key(KEY, &json!(1)), key(&KEY.to_uppercase(), &json!(2))])] {
            assert!(matches!(given(&bad), Err(Refusal::Request { field: "publicKey", .. })));
        }
    }
}

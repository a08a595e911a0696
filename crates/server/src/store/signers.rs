//! `users`, those who sign calls. Their contacts are what somebody says of them; `identities` knows what was proved. Refuses to choose between
//! two of one contact: both are given.

use doorcode_core::{Address, OrgId, Result, UserId};

use super::db::Tx;
use super::sql::{Row, Value, statements};

/// What `Signer::read` reads.
macro_rules! columns {
    () => {
        "org_id, id, full_name, email, phone, root"
    };
}

statements! {
    INSERT = "INSERT INTO users (org_id, id, full_name, email, phone, root) VALUES ($1, $2, $3, $4, $5, $6)";
    GET = concat!("SELECT ", columns!(), " FROM users WHERE org_id = $1 AND id = $2 AND root IS NOT NULL");
    // For a unit that counts their keys before it adds one.
    HOLD = concat!("SELECT ", columns!(), " FROM users WHERE org_id = $1 AND id = $2 AND root IS NOT NULL FOR UPDATE");
    LIST = concat!("SELECT ", columns!(), " FROM users WHERE org_id = $1 AND root IS NOT NULL ORDER BY id LIMIT $2");
    BY_EMAIL = concat!("SELECT ", columns!(), " FROM users WHERE email = $2 AND org_id = $1 AND root IS NOT NULL LIMIT 2");
    BY_PHONE = concat!("SELECT ", columns!(), " FROM users WHERE phone = $2 AND org_id = $1 AND root IS NOT NULL LIMIT 2");
    // However many there are.
    ALL_BY_EMAIL = concat!("SELECT ", columns!(), " FROM users WHERE email = $2 AND org_id = $1 AND root IS NOT NULL ORDER BY id");
    // Who else could come by a code.
    OTHER = "SELECT id FROM users WHERE org_id = $1 AND id <> $2 AND root IS NOT NULL AND (email IS NOT NULL OR phone IS NOT NULL) LIMIT 1";
    // In whichever sub-org of a parent.
    EMAIL_BELOW = "SELECT DISTINCT users.org_id FROM users JOIN orgs ON orgs.id = users.org_id WHERE users.email = $2 \
        AND users.root IS NOT NULL AND orgs.parent_id = $1 AND users.org_id > $3 ORDER BY users.org_id LIMIT $4";
    PHONE_BELOW = "SELECT DISTINCT users.org_id FROM users JOIN orgs ON orgs.id = users.org_id WHERE users.phone = $2 \
        AND users.root IS NOT NULL AND orgs.parent_id = $1 AND users.org_id > $3 ORDER BY users.org_id LIMIT $4";
    NAME_BELOW = "SELECT DISTINCT users.org_id FROM orgs JOIN users ON orgs.id = users.org_id WHERE orgs.parent_id = $1 \
        AND users.full_name = $2 AND users.root IS NOT NULL AND users.org_id > $3 ORDER BY users.org_id LIMIT $4";
    SET_EMAIL = "UPDATE users SET email = $3 WHERE org_id = $1 AND id = $2 AND root IS NOT NULL";
    SET_PHONE = "UPDATE users SET phone = $3 WHERE org_id = $1 AND id = $2 AND root IS NOT NULL";
}

/// A user who signs.
#[derive(Clone)]
pub struct Signer {
    /// Their org.
    pub org: OrgId,
    /// Their id.
    pub id: UserId,
    /// Their name.
    pub name: String,
    /// An address that somebody says is theirs.
    pub email: Option<String>,
    /// A number, likewise.
    pub phone: Option<String>,
    /// Whether they may do everything in their org.
    pub root: bool,
}

impl Signer {
    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            org: row.id(0)?,
            id: row.id(1)?,
            name: row.text(2)?,
            email: row.maybe_text(3)?,
            phone: row.maybe_text(4)?,
            root: row.int(5)? == 1,
        })
    }
}

/// By what users below a parent are looked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    /// An address.
    Email,
    /// A number.
    Phone,
    /// Their own name.
    Name,
}

/// Writes a new user.
pub async fn insert(tx: &mut Tx<'_>, new: &Signer) -> Result<()> {
    let values: [Value<'_>; 6] = [
        (&new.org).into(),
        (&new.id).into(),
        (&new.name).into(),
        new.email.as_ref().into(),
        new.phone.as_ref().into(),
        i64::from(new.root).into(),
    ];
    tx.execute(&INSERT, &values).await.map(drop)
}

/// The user of that id in an org.
pub async fn get(tx: &mut Tx<'_>, org: &OrgId, id: &UserId) -> Result<Option<Signer>> {
    tx.one(&GET, &[org.into(), id.into()], Signer::read).await
}

/// The same, kept from others who would hold them until the unit ends.
pub async fn hold(tx: &mut Tx<'_>, org: &OrgId, id: &UserId) -> Result<Option<Signer>> {
    tx.one(&HOLD, &[org.into(), id.into()], Signer::read).await
}

/// The oldest `most` users of an org.
pub async fn list(tx: &mut Tx<'_>, org: &OrgId, most: i64) -> Result<Vec<Signer>> {
    tx.all(&LIST, &[org.into(), most.into()], Signer::read).await
}

/// Whose contact it is in an org: at most two, of which one is one too many.
pub async fn of_contact(tx: &mut Tx<'_>, org: &OrgId, contact: &Address) -> Result<Vec<Signer>> {
    let sql = match contact {
        Address::Email(_) => &BY_EMAIL,
        Address::Phone(_) => &BY_PHONE,
    };
    tx.all(sql, &[org.into(), contact.as_str().into()], Signer::read).await
}

/// All whose address it is in an org, oldest first.
pub async fn of_email(tx: &mut Tx<'_>, org: &OrgId, email: &str) -> Result<Vec<Signer>> {
    tx.all(&ALL_BY_EMAIL, &[org.into(), email.into()], Signer::read).await
}

/// Whether another user of an org has a contact as well.
pub async fn has_others(tx: &mut Tx<'_>, org: &OrgId, id: &UserId) -> Result<bool> {
    let found: Option<UserId> = tx.one(&OTHER, &[org.into(), id.into()], |row| row.id(0)).await?;
    Ok(found.is_some())
}

/// The orgs below a parent behind `after` that have such a user, at most `most`.
pub async fn below(
    tx: &mut Tx<'_>,
    parent: &OrgId,
    (by, what): (By, &str),
    after: &OrgId,
    most: i64,
) -> Result<Vec<OrgId>> {
    let sql = match by {
        By::Email => &EMAIL_BELOW,
        By::Phone => &PHONE_BELOW,
        By::Name => &NAME_BELOW,
    };
    tx.all(sql, &[parent.into(), what.into(), after.into(), most.into()], |row| row.id(0)).await
}

/// Gives a user another address or number. False: there is none such.
pub async fn set_contact(tx: &mut Tx<'_>, org: &OrgId, id: &UserId, contact: &Address) -> Result<bool> {
    let sql = match contact {
        Address::Email(_) => &SET_EMAIL,
        Address::Phone(_) => &SET_PHONE,
    };
    Ok(tx.execute(sql, &[org.into(), id.into(), contact.as_str().into()]).await? == 1)
}

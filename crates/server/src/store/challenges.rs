//! `challenges`: the one thing in the middle. Single use is one conditional statement. Refuses to hold a code: what is
//! here lets the holder of the key outside derive it, and nobody else.

use doorcode_core::challenge::REPEATS;
use doorcode_core::{Alphabet, Binding, ChallengeId, Error, Kid, OrgId, Result, Shape, Standing, State, Timestamp};

use super::db::Tx;
use super::sql::{Row, Value, statements};

/// What `Challenge::read` reads.
macro_rules! columns {
    () => {
        "head, tail, realm_id, purpose, method, destination, language, alphabet, length, generation, kid, salt, state, \
        expires_at, full_name, client, repeats"
    };
}

statements! {
    INSERT = "INSERT INTO challenges (head, tail, realm_id, purpose, method, destination, language, alphabet, length, \
        generation, kid, salt, state, expires_at, sends, full_name, client) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, $13, 1, $14, $15)";
    // Who asks again without a name leaves the one that is there, and whose it is.
    RESEND = "UPDATE challenges SET sends = sends + 1, language = $3, full_name = coalesce($4, full_name), \
        client = CASE WHEN $4 IS NULL THEN client ELSE $5 END \
        WHERE head = $1 AND tail = $2 AND state = 0 AND expires_at > $6";
    GET = concat!("SELECT ", columns!(), " FROM challenges WHERE head = $1 AND tail = $2");
    // The decoy stands before all others.
    NEAREST = concat!("SELECT ", columns!(), " FROM challenges WHERE head <= $1 ORDER BY head DESC LIMIT 1");
    CONSUME = "UPDATE challenges SET state = 1, expires_at = $3, client = $4 \
        WHERE head = $1 AND tail = $2 AND state = 0 AND expires_at > $5";
    REPEAT = "UPDATE challenges SET repeats = repeats + 1 \
        WHERE head = $1 AND tail = $2 AND state = 1 AND client = $3 AND expires_at > $4 AND repeats < $5";
    VOID = "UPDATE challenges SET state = 2 WHERE head = $1 AND tail = $2 AND state = 0";
    // A code that needs no budget takes the short one's place, in the same challenge.
    ESCALATE = "UPDATE challenges SET generation = generation + 1, alphabet = $3, length = $4 \
        WHERE head = $1 AND tail = $2 AND state = 0 AND expires_at > $5";
    ATTACH = "UPDATE challenges SET metadata = coalesce($3, metadata), redirect = coalesce($4, redirect) \
        WHERE head = $1 AND tail = $2 AND state = 0";
    ATTACHED = "SELECT metadata, redirect FROM challenges WHERE head = $1 AND tail = $2";
    CANCEL = "UPDATE challenges SET state = 2 WHERE head = $1 AND tail = $2 AND state = 0 AND expires_at > $3";
    VOID_ALL = "UPDATE challenges SET state = 2 WHERE state <> 2";
    LIVE_UNDER = "SELECT count(*) FROM challenges WHERE kid = $1 AND state = 0 AND expires_at > $2";
    SWEEP = "DELETE FROM challenges WHERE head IN (SELECT head FROM challenges WHERE head < $1 ORDER BY head LIMIT $2) \
        AND expires_at < $3";
}

/// The challenge that stands in where none is live: a row like any other, so that reading it takes as long. It is over,
/// for no address, and stays for ever.
pub const DECOY: ChallengeId = ChallengeId::from_bytes([0; 16]);
/// Nobody, as wide as somebody: a row that grew when it is used up would move its neighbours (docs/decisions/0012).
const NOBODY: [u8; 8] = [0; 8];

/// A row of `challenges`.
#[derive(Clone)]
pub struct Challenge {
    /// Its id.
    pub id: ChallengeId,
    /// Whose proof a success yields.
    pub realm: OrgId,
    /// What success is for.
    pub purpose: String,
    /// How it is proved.
    pub method: String,
    /// The canonical address.
    pub destination: String,
    /// The language that the last asker wanted.
    pub language: String,
    /// What the code looks like.
    pub shape: Shape,
    /// Which code of the challenge.
    pub generation: u32,
    /// Under which master key it is derived.
    pub kid: Kid,
    /// 16 random bytes.
    pub salt: [u8; 16],
    /// Where it stands.
    pub state: State,
    /// The end of its life; once consumed, of the time in which its user may repeat it.
    pub expires_at: Timestamp,
    /// The name that the last asker gave, for an account that does not exist yet.
    pub full_name: Option<String>,
    /// Who gave that name: only the same client's sign-up takes it. Once consumed, by whom: only they may repeat.
    pub client: Option<[u8; 8]>,
    /// Repeats so far.
    pub repeats: u32,
}

impl Challenge {
    fn read(row: &Row<'_>) -> Result<Self> {
        let small = |at| row.int(at).map(|n| u32::try_from(n).unwrap_or(u32::MAX));
        let alphabet = u8::try_from(row.int(7)?).ok().and_then(Alphabet::from_id);
        let alphabet = alphabet.ok_or_else(|| Error::internal("a challenge has an unknown alphabet"))?;
        let length = u8::try_from(row.int(8)?).map_err(Error::internal)?;
        Ok(Self {
            id: ChallengeId::from_halves([row.int(0)?, row.int(1)?]),
            realm: row.id(2)?,
            purpose: row.text(3)?,
            method: row.text(4)?,
            destination: row.text(5)?,
            language: row.text(6)?,
            shape: Shape::new(alphabet, length)?,
            generation: small(9)?,
            kid: row.text(10)?.parse()?,
            salt: row.bytes(11)?,
            state: State::from_i64(row.int(12)?).ok_or_else(|| Error::internal("a challenge has an unknown state"))?,
            expires_at: row.time(13)?,
            full_name: row.maybe_text(14)?,
            client: row.maybe_bytes(15)?.filter(|client| *client != NOBODY),
            repeats: small(16)?,
        })
    }

    /// All that its code is for.
    pub fn binding(&self) -> Binding<'_> {
        Binding {
            org: self.realm,
            challenge: self.id,
            generation: self.generation,
            purpose: &self.purpose,
            method: &self.method,
            destination: &self.destination,
            shape: self.shape,
            salt: &self.salt,
        }
    }

    /// What `core::challenge::judge` asks about it, for a client.
    pub fn standing(&self, client: Option<[u8; 8]>) -> Standing {
        Standing {
            state: self.state,
            expires_at: self.expires_at,
            same_client: client.is_some() && client == self.client,
            repeats: self.repeats,
        }
    }
}

/// Writes a new, pending challenge.
pub async fn insert(tx: &mut Tx<'_>, new: &Challenge) -> Result<()> {
    let (kid, [head, tail]) = (new.kid, new.id.halves());
    let values: [Value<'_>; 15] = [
        head.into(),
        tail.into(),
        (&new.realm).into(),
        (&new.purpose).into(),
        (&new.method).into(),
        (&new.destination).into(),
        (&new.language).into(),
        i64::from(new.shape.alphabet.id()).into(),
        i64::from(new.shape.length).into(),
        i64::from(new.generation).into(),
        kid.as_str().into(),
        (&new.salt).into(),
        new.expires_at.into(),
        new.full_name.as_ref().into(),
        new.client.as_ref().unwrap_or(&NOBODY).into(),
    ];
    tx.execute(&INSERT, &values).await.map(drop)
}

/// Counts another message of a live challenge, and takes over what its asker wanted.
pub async fn resend(
    tx: &mut Tx<'_>,
    id: &ChallengeId,
    language: &str,
    name: (Option<&str>, Option<&[u8; 8]>),
    now: Timestamp,
) -> Result<bool> {
    let [head, tail] = id.halves();
    let values = [head.into(), tail.into(), language.into(), name.0.into(), name.1.into(), now.into()];
    Ok(tx.execute(&RESEND, &values).await? == 1)
}

/// The challenge of that id.
pub async fn get(tx: &mut Tx<'_>, id: &ChallengeId) -> Result<Option<Challenge>> {
    let [head, tail] = id.halves();
    tx.one(&GET, &[head.into(), tail.into()], Challenge::read).await
}

/// The challenge of that id, or, where it has left or there never was one, another, found in the same steps: whoever asks
/// compares the id. The decoy is before all.
pub async fn nearest(tx: &mut Tx<'_>, id: &ChallengeId) -> Result<Challenge> {
    let [head, _] = id.halves();
    let found = tx.one(&NEAREST, &[head.into()], Challenge::read).await?;
    found.ok_or_else(|| Error::internal("the decoy challenge is gone"))
}

/// The newest id there is, so that new ones come behind it. A row that can't be read must not keep the server from its start.
pub async fn newest(tx: &mut Tx<'_>) -> Result<ChallengeId> {
    Ok(nearest(tx, &ChallengeId::from_halves([i64::MAX, 0])).await.map_or(DECOY, |newest| newest.id))
}

/// Makes the decoy, if it is not there, under a key that the database knows.
pub async fn keep_decoy(tx: &mut Tx<'_>, kid: Kid) -> Result<()> {
    if get(tx, &DECOY).await?.is_some() {
        return Ok(());
    }
    let decoy = Challenge {
        id: DECOY,
        realm: OrgId::HOUSE,
        purpose: "sign-in".to_owned(),
        method: "code".to_owned(),
        destination: "somebody@example.invalid".to_owned(),
        language: "en".to_owned(),
        shape: Shape::new(Alphabet::Digits, 6)?,
        generation: 0,
        kid,
        salt: [0; 16],
        state: State::Void,
        expires_at: Timestamp::from_millis(i64::MAX),
        full_name: Some("Some Body".to_owned()),
        client: None,
        repeats: 0,
    };
    insert(tx, &decoy).await?;
    void(tx, &DECOY).await
}

/// Uses a live challenge up; `client` may repeat its code until then. True for exactly one caller.
pub async fn consume(
    tx: &mut Tx<'_>,
    id: &ChallengeId,
    client: Option<&[u8; 8]>,
    until: Timestamp,
    now: Timestamp,
) -> Result<bool> {
    let [head, tail] = id.halves();
    let values = [head.into(), tail.into(), until.into(), client.unwrap_or(&NOBODY).into(), now.into()];
    Ok(tx.execute(&CONSUME, &values).await? == 1)
}

/// Counts the repeat of a right answer by the client that gave it.
pub async fn repeat(tx: &mut Tx<'_>, id: &ChallengeId, client: &[u8; 8], now: Timestamp) -> Result<bool> {
    let [head, tail] = id.halves();
    let values = [head.into(), tail.into(), client.into(), now.into(), i64::from(REPEATS).into()];
    Ok(tx.execute(&REPEAT, &values).await? == 1)
}

/// Ends a live challenge that nobody needs any more.
pub async fn void(tx: &mut Tx<'_>, id: &ChallengeId) -> Result<()> {
    let [head, tail] = id.halves();
    tx.execute(&VOID, &[head.into(), tail.into()]).await.map(drop)
}

/// Gives a live challenge a long code in place of its short one.
pub async fn escalate(tx: &mut Tx<'_>, id: &ChallengeId, shape: Shape, now: Timestamp) -> Result<bool> {
    let [head, tail] = id.halves();
    let (alphabet, length) = (i64::from(shape.alphabet.id()), i64::from(shape.length));
    Ok(tx.execute(&ESCALATE, &[head.into(), tail.into(), alphabet.into(), length.into(), now.into()]).await? == 1)
}

/// What whoever asked for a challenge attached to it.
#[derive(Clone, Default)]
pub struct Attached {
    /// Whatever they want to find again, as JSON.
    pub metadata: Option<String>,
    /// Where the browser that opens the link goes afterwards.
    pub redirect: Option<String>,
}

/// Attaches what is given, and leaves what is not.
pub async fn attach(tx: &mut Tx<'_>, id: &ChallengeId, what: &Attached) -> Result<()> {
    let [head, tail] = id.halves();
    let values = [head.into(), tail.into(), what.metadata.as_ref().into(), what.redirect.as_ref().into()];
    tx.execute(&ATTACH, &values).await.map(drop)
}

/// What is attached to a challenge.
pub async fn attached(tx: &mut Tx<'_>, id: &ChallengeId) -> Result<Attached> {
    let [head, tail] = id.halves();
    let read = |row: &Row<'_>| Ok(Attached { metadata: row.maybe_text(0)?, redirect: row.maybe_text(1)? });
    Ok(tx.one(&ATTACHED, &[head.into(), tail.into()], read).await?.unwrap_or_default())
}

/// Withdraws a challenge. False: it was no longer live.
pub async fn cancel(tx: &mut Tx<'_>, id: &ChallengeId, now: Timestamp) -> Result<bool> {
    let [head, tail] = id.halves();
    Ok(tx.execute(&CANCEL, &[head.into(), tail.into(), now.into()]).await? == 1)
}

/// After a restore: ends every live challenge and every chance of a repeat.
pub async fn void_all(tx: &mut Tx<'_>) -> Result<usize> {
    tx.execute(&VOID_ALL, &[]).await
}

/// How many live challenges have codes under a master key.
pub async fn live_under(tx: &mut Tx<'_>, kid: Kid, now: Timestamp) -> Result<i64> {
    Ok(tx.one(&LIVE_UNDER, &[kid.as_str().into(), now.into()], |row| row.int(0)).await?.unwrap_or(0))
}

/// Removes up to `most` challenges that were made before `made_before` and are over.
pub async fn sweep(tx: &mut Tx<'_>, made_before: Timestamp, most: i64, now: Timestamp) -> Result<usize> {
    let [head, _] = ChallengeId::floor(made_before).halves();
    tx.execute(&SWEEP, &[head.into(), most.into(), now.into()]).await
}

//! A message that carries no code of ours: what is in it was sealed to a person's key. It is paid for as a code's is, by everybody whom that
//! counts for. Refuses to take the place of a code that lives, and to be answered: no entry is right for it.

use doorcode_core::{Class, Result};

use super::start::{Asked, Begun, Paid, Purse, spend};
use crate::app::App;
use crate::store::deliveries::{self, Birth};
use crate::store::{Tx, challenges, meters, targets};

/// The method of a challenge that is such a message.
pub const SEALED: &str = "sealed";

/// Its part of a unit, as [`Asked::begin`]. `carried` is what goes out: a text, and behind a blank the link that opens it, if there is one.
pub async fn post(tx: &mut Tx<'_>, app: &App, asked: &Asked, carried: &str) -> Result<Begun> {
    let Asked { ask, aim, new, delivery, now, .. } = asked;
    let (policy, now) = (&app.config.sends, *now);
    spend(tx, &aim.networks, now).await?;
    if aim.folded != aim.address {
        targets::hold(tx, [aim.address, aim.folded]).await?;
    }
    let mut purse = Purse::read(tx, ask, aim, now).await?;
    // There is nothing in it to be guessed at.
    purse.long = false;
    match purse.class {
        Class::Stranger => spend(tx, &[aim.org], now).await?,
        Class::Known => meters::touch(tx, &aim.org.1, now).await?,
    }
    let birth = match purse.pay(tx, policy).await? {
        Paid::Send => Birth::Leased(asked.leased_until),
        Paid::Withhold => Birth::Withheld(now),
        Paid::Refuse => {
            if purse.class == Class::Stranger {
                meters::give_back(tx, &[aim.org.1]).await?;
            }
            return Ok(Begun::Refused(purse.retry_after(tx, policy).await?));
        }
    };
    let mut new = new.clone();
    SEALED.clone_into(&mut new.method);
    new.full_name = Some(carried.to_owned());
    challenges::insert(tx, &new).await?;
    deliveries::insert(tx, delivery, &new.id, deliveries::EMAIL, birth).await?;
    Ok(match birth {
        Birth::Leased(_) => Begun::Sent(Box::new(new), purse.class),
        Birth::Withheld(_) => Begun::Withheld(Box::new(new), purse.class),
    })
}

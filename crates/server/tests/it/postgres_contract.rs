//! What the store promises, on PostgreSQL.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use doorcode::store::{Db, orgs, prepare_all};
use doorcode_core::{Error, OrgId, Result};

use crate::postgres;

async fn open() -> Option<Db> {
    let url = postgres::shared()?.database();
    Some(Db::connect(&postgres::settings(&url, 4)).await.unwrap())
}

fn org(n: u8) -> OrgId {
    OrgId::from_bytes([n; 16])
}

#[tokio::test]
async fn every_statement_prepares() {
    let Some(db) = open().await else { return };
    let prepared =
        db.read(|tx| Box::pin(prepare_all(tx))).await.unwrap_or_else(|error| panic!("{}", doorcode::chain(&error)));
    assert!(prepared >= 60, "{prepared} statements: is a table missing from the list?");
}

#[tokio::test]
async fn a_unit_is_all_or_nothing() {
    let Some(db) = open().await else { return };
    let refused: Result<()> = db
        .write(|tx| {
            Box::pin(async move {
                orgs::insert(tx, &org(1), None, "One").await?;
                Err(Error::Forbidden)
            })
        })
        .await;
    assert!(matches!(refused, Err(Error::Forbidden)));
    assert_eq!(db.read(|tx| Box::pin(orgs::list(tx, 100))).await.unwrap().len(), 0);
}

//! The committed `.sqlx` says of every statement what the database says, so builds without a database are honest.

use crate::support::TestDb;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Executor, SqlSafeStr};
use std::path::Path;

#[tokio::test]
async fn every_committed_description_is_what_the_database_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(".sqlx");
    let database = TestDb::new().await;
    let mut connection = database.connect().await;
    let mut faults = Vec::new();
    for entry in folder.read_dir().expect(".sqlx is committed: run `make sqlx`") {
        let file = entry.unwrap().path();
        let committed: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        let statement = committed["query"].as_str().expect("the statement").to_owned();
        match (&mut connection).describe(AssertSqlSafe(statement.as_str()).into_sql_str()).await {
            Ok(told) => {
                let told = serde_json::to_value(told).unwrap();
                if told != committed["describe"] {
                    faults.push(format!("{statement}\n  committed: {}\n  database:  {told}", committed["describe"]));
                }
            }
            Err(e) => faults.push(format!("{statement}\n  {e}")),
        }
    }
    assert!(faults.is_empty(), "run `make sqlx`; stale in .sqlx:\n{}", faults.join("\n"));
}

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
                let told = comparable(serde_json::to_value(told).unwrap());
                if told != comparable(committed["describe"].clone()) {
                    faults.push(format!("{statement}\n  committed: {}\n  database:  {told}", committed["describe"]));
                }
            }
            Err(e) => faults.push(format!("{statement}\n  {e}")),
        }
    }
    assert!(faults.is_empty(), "run `make sqlx`; stale in .sqlx:\n{}", faults.join("\n"));
}

/// Whether an outer join's column may be null is guessed from the plan, which changes with the tables' statistics. Where
/// the statement itself says so (`"name?"`, `"name!"`) the guess has no effect.
fn comparable(mut description: Value) -> Value {
    let names: Vec<String> =
        description["columns"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap().to_owned()).collect();
    for (n, _) in names.iter().enumerate().filter(|(_, name)| name.ends_with(['?', '!'])) {
        description["nullable"][n] = Value::Null;
    }
    description
}

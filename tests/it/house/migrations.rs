//! Migrations are forward only, named alike, and harmless to apply again.

use crate::support::TestDb;
use image_factory::platform::db::MIGRATOR;
use regex::Regex;
use std::collections::BTreeSet;
use std::path::Path;

#[tokio::test]
async fn applying_the_migrations_twice_is_harmless() {
    let database = TestDb::empty().await;
    for round in ["first", "second"] {
        let mut connection = database.connect().await;
        MIGRATOR.run(&mut connection).await.unwrap_or_else(|e| panic!("the {round} time: {e}"));
    }
    database.db().check().await.expect("the service finds every migration");
}

#[tokio::test]
async fn processes_that_start_together_migrate_once() {
    let database = TestDb::empty().await;
    let (a, b) = (database.db(), database.db());
    let (a, b) = tokio::join!(image_factory::platform::db::migrate(&a), image_factory::platform::db::migrate(&b));
    a.expect("the first process migrates");
    b.expect("the second process waits and finds nothing to do");
}

#[test]
fn migration_files_are_named_by_time_and_deed() {
    let name = Regex::new(r"^(\d{14})_([a-z]+)(_[a-z0-9]+)+\.sql$").unwrap();
    let mut versions = BTreeSet::new();
    for entry in Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").read_dir().unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        let parts = name.captures(&file).unwrap_or_else(|| panic!("{file} is not YYYYMMDDHHMMSS_verb_object.sql"));
        let moment = chrono::NaiveDateTime::parse_from_str(&parts[1], "%Y%m%d%H%M%S");
        assert!(moment.is_ok(), "{file} does not begin with a time");
        assert!(versions.insert(parts[1].to_owned()), "{file} shares its version with another migration");
    }
    assert_eq!(versions.len(), MIGRATOR.iter().count(), "the binary was built from other migrations");
}

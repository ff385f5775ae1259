//! The PostgreSQL of `image-factory dev`.

use image_factory::platform::db::embedded::Embedded;
use sqlx::{Connection, Executor, PgConnection};
use std::os::unix::fs::PermissionsExt;

/// Root's home is such a folder, and clones lie in it.
#[tokio::test]
async fn the_embedded_server_keeps_its_data_below_a_closed_folder() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    let data = folder.path().join("postgres");
    let first = Embedded::start(&data).await.expect("the server starts");
    let mut connection = PgConnection::connect(&first.url("image_factory")).await.expect("its database is there");
    connection.execute("create table kept (x int)").await.unwrap();
    drop(connection);
    first.stop().await;
    let second = Embedded::start(&data).await.expect("the server starts again");
    let mut connection = PgConnection::connect(&second.url("image_factory")).await.unwrap();
    connection.execute("select x from kept").await.expect("the table is kept");
    drop(connection);
    second.stop().await;
}

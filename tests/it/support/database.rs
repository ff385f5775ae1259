//! A database of its own for every test, copied from a template that has all migrations.
//!
//! nextest runs each test as a process of its own, so the template is made once under an advisory lock of the server.

use image_factory::platform::db::{Config, Db, MIGRATOR};
use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use std::time::Duration;
use url::Url;
use uuid::Uuid;

/// The server that `make test` starts: the address of any database on it that may create others.
pub const SERVER_VARIABLE: &str = "IMAGE_FACTORY_TEST_DATABASE_URL";

/// Any number that nobody else on the server locks.
const TEMPLATE_LOCK: i64 = 0x696d_6166_6163;

/// A migrated database that is dropped with this value. A killed test leaves it behind, until the server goes.
#[derive(Debug)]
pub struct TestDb {
    server: Url,
    name: String,
    url: String,
}

impl TestDb {
    /// A new database with every migration applied.
    pub async fn new() -> Self {
        let server = server();
        let mut admin = connect(&server).await;
        let template = template(&mut admin, &server).await;
        Self::create(server, admin, &format!(" template {template}")).await
    }

    /// A new database without any migration.
    pub async fn empty() -> Self {
        let server = server();
        let admin = connect(&server).await;
        Self::create(server, admin, "").await
    }

    async fn create(server: Url, mut admin: PgConnection, options: &str) -> Self {
        let name = format!("it_{}", Uuid::now_v7().simple());
        execute(&mut admin, format!("create database {name}{options}")).await;
        let url = with_database(&server, &name).into();
        Self { server, name, url }
    }

    /// Its address, for `database.url`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A pool on it as the service opens one.
    pub fn db(&self) -> Db {
        Db::connect_lazy(&Config { url: self.url().to_owned(), ..Config::default() })
            .expect("the test database's address")
    }

    /// A connection outside of the service's roles, to look behind the scenes.
    pub async fn connect(&self) -> PgConnection {
        connect(&with_database(&self.server, &self.name)).await
    }
}

impl Drop for TestDb {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        // A test's runtime may be the very thread that drops this, so the farewell has its own.
        let farewell = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
            let drop_it = async {
                let mut admin = PgConnection::connect(server.as_str()).await.ok()?;
                admin.execute(AssertSqlSafe(format!("drop database if exists {name} with (force)"))).await.ok()
            };
            runtime.block_on(async { tokio::time::timeout(Duration::from_secs(10), drop_it).await.ok() })
        });
        let _ = farewell.join();
    }
}

#[expect(clippy::disallowed_methods, reason = "the address of the test's server comes from `make test`")]
fn server() -> Url {
    let url = std::env::var(SERVER_VARIABLE).unwrap_or_else(|_| {
        panic!("{SERVER_VARIABLE} is not set: run `make test`, which starts a PostgreSQL of its own and sets it")
    });
    Url::parse(&url).unwrap_or_else(|e| panic!("{SERVER_VARIABLE} is not an address: {e}"))
}

fn with_database(server: &Url, name: &str) -> Url {
    let mut url = server.clone();
    url.set_path(name);
    url
}

async fn connect(url: &Url) -> PgConnection {
    PgConnection::connect(url.as_str())
        .await
        .unwrap_or_else(|e| panic!("the server of {SERVER_VARIABLE} does not answer ({e}): run `make test`"))
}

async fn execute(connection: &mut PgConnection, sql: String) {
    connection.execute(AssertSqlSafe(sql.clone())).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
}

/// The name of a migrated database; made when it is missing, and renamed last so that half a template is never used.
async fn template(admin: &mut PgConnection, server: &Url) -> String {
    let mut hash = Sha256::new();
    for migration in MIGRATOR.iter() {
        hash.update(migration.version.to_be_bytes());
        hash.update(&migration.checksum);
    }
    let name = format!("it_template_{}", hex::encode(&hash.finalize()[..8]));
    sqlx::query("select pg_advisory_lock($1)").bind(TEMPLATE_LOCK).execute(&mut *admin).await.expect("the lock");
    let exists: bool = sqlx::query_scalar("select exists (select from pg_database where datname = $1)")
        .bind(&name)
        .fetch_one(&mut *admin)
        .await
        .expect("the list of databases");
    if !exists {
        execute(admin, "drop database if exists it_template_unfinished with (force)".into()).await;
        execute(admin, "create database it_template_unfinished".into()).await;
        let mut unfinished = connect(&with_database(server, "it_template_unfinished")).await;
        MIGRATOR.run(&mut unfinished).await.expect("the migrations apply");
        unfinished.close().await.expect("the template's connection closes");
        execute(admin, format!("alter database it_template_unfinished rename to {name}")).await;
    }
    sqlx::query("select pg_advisory_unlock($1)").bind(TEMPLATE_LOCK).execute(&mut *admin).await.expect("the lock");
    name
}

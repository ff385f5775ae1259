//! Single statements of a tenant: row security bites as in a transaction.

use crate::support::TestDb;
use image_factory::kernel::ids::TenantId;
use image_factory::platform::db::{Config, Db};

async fn seen(db: &Db, tenant: TenantId) -> i64 {
    let mut at = db.statement(tenant).await.unwrap();
    let count = sqlx::query_scalar("select count(*) from events").fetch_one(&mut *at).await.unwrap();
    at.keep();
    count
}

#[tokio::test]
async fn a_connection_sees_the_tenant_it_was_asked_for_whoever_had_it_before() {
    let database = TestDb::new().await;
    // One connection for all.
    let db = Db::connect_lazy(&Config { url: database.url().into(), max_connections: 4, ..Config::default() }).unwrap();
    let tenants = [TenantId::new(), TenantId::new(), TenantId::new()];
    for (n, tenant) in tenants.iter().enumerate() {
        for _ in 0..=n {
            sqlx::query(
                "insert into events (id, tenant_id, type, actor, subject, occurred_at, payload)
                 values (gen_random_uuid(), $1, 't', 'a', 's', now(), '{}')",
            )
            .bind(tenant.0)
            .execute(&mut database.connect().await)
            .await
            .unwrap();
        }
    }
    for n in [0, 1, 1, 2, 0, 2] {
        assert_eq!(seen(&db, tenants[n]).await, i64::try_from(n).unwrap() + 1);
    }
    let all = (0..30).map(|n| seen(&db, tenants[n % 3]));
    for (n, count) in futures::future::join_all(all).await.into_iter().enumerate() {
        assert_eq!(count, i64::try_from(n % 3).unwrap() + 1);
    }
}

#[tokio::test]
async fn a_connection_whose_statement_failed_is_not_used_again() {
    let database = TestDb::new().await;
    let db = Db::connect_lazy(&Config { url: database.url().into(), max_connections: 4, ..Config::default() }).unwrap();
    let tenant = TenantId::new();
    let process = async |db: &Db| {
        let mut at = db.statement(tenant).await.unwrap();
        let pid: i32 = sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut *at).await.unwrap();
        at.keep();
        pid
    };
    let first = process(&db).await;
    assert_eq!(process(&db).await, first);
    let mut at = db.statement(tenant).await.unwrap();
    assert!(sqlx::query("select 1 / 0").execute(&mut *at).await.is_err());
    drop(at);
    assert_ne!(process(&db).await, first);
}

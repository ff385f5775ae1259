//! The ring of tenants: who comes next, and what brings a tenant or a build back into it.

use super::{app, dispatcher, new_build, tenant};
use crate::sim::executor::NoOp;
use crate::support::TestDb;
use image_factory::app::App;
use image_factory::kernel::ids::{BuildId, WorkerId};
use image_factory::orchestration::builds::{Outcome, ResultStatus, RunRef};
use image_factory::orchestration::dispatch::Worker;
use image_factory::orchestration::methods::Method;
use image_factory::platform::tasks::Tasks;
use image_factory::tenancy::access::Caller;
use std::sync::Arc;
use std::time::Duration;

/// A worker of every method.
async fn worker(app: &App) -> Worker {
    let mut worker = Worker::discover(WorkerId::new(), "test".into(), "no-op", 100);
    worker.methods = Method::ALL.to_vec();
    app.dispatch.announce(&worker, false).await.unwrap();
    worker
}

async fn queue(app: &App, caller: &Caller, builds: usize) {
    for _ in 0..builds {
        app.builds.create(caller, "one", BuildId::new(), new_build(Method::Docker)).await.unwrap();
    }
}

/// Claims one build and ends it.
async fn serve(app: &App, worker: &Worker) -> RunRef {
    let mut claimed = app.dispatch.claim(worker, 1).await.unwrap();
    let run = claimed.pop().expect("somebody waits");
    assert!(app.builds.finish(&run, &Outcome::of(ResultStatus::Success)).await.unwrap());
    run
}

#[tokio::test]
async fn a_tenant_that_returns_has_neither_credit_nor_debt() {
    let (db, tasks) = (TestDb::new().await, Tasks::default());
    let app = app(&db, &tasks).await;
    let worker = worker(&app).await;
    let (busy, away) = (tenant(&app, 0).await, tenant(&app, 1).await);
    queue(&app, &away, 1).await;
    serve(&app, &worker).await;
    queue(&app, &busy, 40).await;
    for _ in 0..20 {
        serve(&app, &worker).await;
    }
    queue(&app, &away, 10).await;
    let mut order = Vec::new();
    for _ in 0..10 {
        order.push(serve(&app, &worker).await.tenant_id == away.tenant().unwrap().id);
    }
    let served = order.iter().filter(|away| **away).count();
    assert!((4..=6).contains(&served), "both are served in turn: {order:?}");
    assert!(order[..3].contains(&true), "the one that was away is served soon: {order:?}");
    assert!(order[..3].contains(&false), "and does not make up for its absence: {order:?}");
}

#[tokio::test]
async fn a_limit_that_was_raised_behind_the_back_of_the_ring_is_noticed() {
    let (db, tasks) = (TestDb::new().await, Tasks::default());
    let app = app(&db, &tasks).await;
    let worker = worker(&app).await;
    let caller = tenant(&app, 0).await;
    queue(&app, &caller, 1).await;
    app.builds.create(&caller, "two", BuildId::new(), new_build(Method::Docker)).await.unwrap();
    let mut db = db.connect().await;
    sqlx::query("update quotas set builds_running_max = 1").execute(&mut db).await.unwrap();
    assert_eq!(app.dispatch.claim(&worker, 10).await.unwrap().len(), 1);
    assert_eq!(app.dispatch.claim(&worker, 10).await.unwrap().len(), 0, "at its limit");
    sqlx::query("update quotas set builds_running_max = 2").execute(&mut db).await.unwrap();
    app.dispatch.wake_all().await.unwrap();
    assert_eq!(app.dispatch.claim(&worker, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn builds_of_a_suspended_tenant_wait_until_it_is_active_again() {
    let (db, tasks) = (TestDb::new().await, Tasks::default());
    let app = app(&db, &tasks).await;
    let worker = worker(&app).await;
    let (suspended, active) = (tenant(&app, 0).await, tenant(&app, 1).await);
    queue(&app, &suspended, 1).await;
    queue(&app, &active, 1).await;
    let mut db = db.connect().await;
    let set = async |db: &mut sqlx::PgConnection, status: &str| {
        let of = suspended.tenant().unwrap().id.0;
        sqlx::query("update tenants set status = $1 where id = $2").bind(status).bind(of).execute(db).await.unwrap();
    };
    set(&mut db, "suspended").await;
    let claimed = app.dispatch.claim(&worker, 10).await.unwrap();
    assert_eq!(claimed.iter().map(|r| r.tenant_id).collect::<Vec<_>>(), [active.tenant().unwrap().id]);
    assert_eq!(app.dispatch.claim(&worker, 10).await.unwrap().len(), 0);
    set(&mut db, "active").await;
    assert_eq!(app.dispatch.claim(&worker, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_build_that_lost_its_worker_is_not_overdue_for_the_time_that_it_ran() {
    let (db, tasks) = (TestDb::new().await, Tasks::default());
    let app = app(&db, &tasks).await;
    let worker = worker(&app).await;
    let caller = tenant(&app, 0).await;
    queue(&app, &caller, 2).await;
    let run = app.dispatch.claim(&worker, 1).await.unwrap().pop().unwrap();
    assert_eq!(app.builds.rescue(Some(worker.id)).await.unwrap(), 1);
    let mut db = db.connect().await;
    let long_ago = "update builds set queued_at = now() - interval '30 days' where status = 'queued'";
    assert_eq!(sqlx::query(long_ago).execute(&mut db).await.unwrap().rows_affected(), 2);
    assert_eq!(app.builds.fail_overdue().await.unwrap(), 1);
    assert_eq!(app.builds.get(&caller, run.build_id).await.unwrap().status.as_str(), "queued");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_falls_silent_is_stopped_before_its_build_is_given_back() {
    let (db, tasks) = (TestDb::new().await, Tasks::default());
    let app = app(&db, &tasks).await;
    let caller = tenant(&app, 0).await;
    queue(&app, &caller, 3).await;
    // The executor refuses to start an attempt while another one of the same build runs.
    let executor = Arc::new(NoOp::falling_silent_at_first());
    dispatcher(&app, &executor, &tasks);
    let mut db = db.connect().await;
    let mut completed = 0i64;
    for _ in 0..600 {
        completed = sqlx::query_scalar("select count(*) from builds where status = 'completed' and attempts = 2")
            .fetch_one(&mut db)
            .await
            .unwrap();
        if completed == 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(completed, 3, "each was tried twice");
    assert!(tasks.shutdown(Duration::from_secs(20)).await);
}

//! The queue at three depths: claiming, and claiming and ending, against the least that PostgreSQL can do for it.

use crate::measure::{heading, line, ratio};
use crate::product::{Product, worker};
use crate::seed;
use futures::future::join_all;
use image_factory::kernel::ids::WorkerId;
use image_factory::orchestration::builds::{Outcome, ResultStatus};
use sqlx::{PgConnection, PgPool};
use std::time::Instant;
use uuid::Uuid;

const TENANTS: i64 = 1000;
const DEPTHS: [i64; 3] = [1_000, 100_000, 1_000_000];
const CLAIMERS: usize = 8;
const BATCH: usize = 100;
const ROUNDS: usize = 7;

/// Who takes builds from the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Contender {
    /// The SQL function alone.
    Claim,
    /// The oldest of all, whoever's: `for update skip locked`. No limits, no fairness, no execution, no history.
    FifoClaim,
    /// An update by keys that the client knows beforehand.
    FloorClaim,
    /// `Dispatch::claim`, then `Builds::finish` for each: result, metrics, history, events.
    Product,
    /// The SQL function, then what the queue itself needs of an end, a batch at a time: state, execution, ring.
    ClaimAndEnd,
    /// As above, and an update that ends the batch.
    Fifo,
    /// As above, and an update that ends the batch.
    Floor,
}

use Contender::{Claim, ClaimAndEnd, Fifo, FifoClaim, Floor, FloorClaim, Product as Whole};

const ALL: [Contender; 7] = [Claim, FifoClaim, FloorClaim, Whole, ClaimAndEnd, Fifo, Floor];

/// A database with a queue that is filled up again after every turn.
struct Yard {
    product: Product,
    sql: PgConnection,
    pool: PgPool,
    depth: i64,
    next: i64,
}

pub async fn run() {
    heading(&format!(
        "Queue: {TENANTS} tenants, {CLAIMERS} claimers side by side, batches of {BATCH}, {ROUNDS} rounds"
    ));
    let mut yards = Vec::new();
    for depth in DEPTHS {
        yards.push(Yard::new(depth).await);
    }
    let mut rates = vec![vec![Vec::new(); ALL.len()]; yards.len()];
    // The first round warms up caches and plans.
    for round in 0..=ROUNDS {
        for n in 0..ALL.len() {
            // Everybody comes first in turn.
            let n = (n + round) % ALL.len();
            for (yard, rates) in yards.iter_mut().zip(&mut rates) {
                let rate = yard.turn(ALL[n]).await;
                if round > 0 {
                    rates[n].push(rate);
                }
            }
        }
    }
    let of = |depth: usize, who: Contender| &rates[depth][ALL.iter().position(|c| *c == who).unwrap()];
    for (what, who) in [
        ("claim alone", Claim),
        ("claim and end in batches", ClaimAndEnd),
        ("Dispatch::claim and Builds::finish", Whole),
    ] {
        line(&format!("{what}: rate at 100k queued / at 1k"), ratio(of(1, who), of(0, who)), ">= 0.8");
        line(&format!("{what}: rate at 1M queued / at 1k"), ratio(of(2, who), of(0, who)), ">= 0.8");
    }
    for (what, who) in [("plain FIFO, claim and end", Fifo), ("ids known, claim and end", Floor)] {
        line(&format!("{what}: rate at 1M queued / at 1k"), ratio(of(2, who), of(0, who)), "");
    }
    line("1M queued, claim alone: ours / plain FIFO", ratio(of(2, Claim), of(2, FifoClaim)), "");
    line("1M queued, claim alone: ours / ids known", ratio(of(2, Claim), of(2, FloorClaim)), "");
    line("1M queued, claim and end in batches: ours / plain FIFO", ratio(of(2, ClaimAndEnd), of(2, Fifo)), "");
    line("1M queued, claim and end in batches: ours / ids known", ratio(of(2, ClaimAndEnd), of(2, Floor)), "");
    line("1M queued: Dispatch::claim and Builds::finish / plain FIFO", ratio(of(2, Whole), of(2, Fifo)), "");
    line("1M queued: Dispatch::claim and Builds::finish / ids known", ratio(of(2, Whole), of(2, Floor)), "");
    for yard in yards {
        yard.pool.close().await;
        yard.product.stop().await;
    }
}

impl Yard {
    async fn new(depth: i64) -> Self {
        let product = Product::new().await;
        let mut sql = product.connect().await;
        seed::tenants(&mut sql, TENANTS).await;
        seed::sql(&mut sql, "create index fifo on builds (queued_at, id) where status = 'queued'").await;
        seed::queue(&mut sql, 0, depth, "n % 1000").await;
        seed::sql(&mut sql, "vacuum analyze").await;
        let pool = product.pool(u32::try_from(CLAIMERS).unwrap()).await;
        Self { product, sql, pool, depth, next: depth }
    }

    /// Builds per second; the queue is as deep afterwards as before.
    async fn turn(&mut self, who: Contender) -> f64 {
        let mut ids: Vec<Vec<Uuid>> = vec![Vec::new(); CLAIMERS];
        if matches!(who, Floor | FloorClaim) {
            let all: Vec<Uuid> = sqlx::query_scalar("select id from builds where status = 'queued' limit $1")
                .bind(i64::try_from(CLAIMERS * BATCH).unwrap())
                .fetch_all(&mut self.sql)
                .await
                .unwrap();
            ids = all.chunks(BATCH).map(<[Uuid]>::to_vec).collect();
        }
        let begun = Instant::now();
        let claimers = ids.into_iter().map(|ids| {
            let (app, pool) = (self.product.app.clone(), self.pool.clone());
            self.product.tasks.spawn("claimer", async move {
                if who != Whole {
                    return in_batches(&pool, who, ids).await;
                }
                let runs = app.dispatch.claim(&worker(), BATCH).await.unwrap();
                for run in &runs {
                    assert!(app.builds.finish(run, &Outcome::of(ResultStatus::Success)).await.unwrap());
                }
                runs.len()
            })
        });
        let taken: usize = join_all(claimers).await.into_iter().map(Result::unwrap).sum();
        let rate = taken as f64 / begun.elapsed().as_secs_f64();
        assert!(taken > CLAIMERS * BATCH * 3 / 4, "{who:?} took {taken} of {} builds", self.depth);
        self.fill_up(i64::try_from(taken).unwrap()).await;
        rate
    }

    async fn fill_up(&mut self, taken: i64) {
        seed::sql(
            &mut self.sql,
            "update build_executions set status = 'succeeded', lease_expires_at = null, finished_at = now()
                 where status = 'running';
             update builds set status = 'completed', completed_at = now() where status = 'running';",
        )
        .await;
        seed::queue(&mut self.sql, self.next, self.next + taken, "n % 1000").await;
        self.next += taken;
        seed::sql(&mut self.sql, "vacuum builds, build_executions, build_status_history, dispatch_tenants, events")
            .await;
    }
}

/// One batch by one claimer, every statement a transaction of its own, as a durable queue has to.
async fn in_batches(pool: &PgPool, who: Contender, ids: Vec<Uuid>) -> usize {
    let mut connection = pool.acquire().await.unwrap();
    let batch = i32::try_from(BATCH).unwrap();
    let ids = match who {
        Claim | ClaimAndEnd => {
            let executions: Vec<Uuid> = (0..BATCH).map(|_| Uuid::now_v7()).collect();
            sqlx::query_scalar("select build_id from claim_builds($1, $2, $3, 'bench', '{docker}', 30)")
                .bind(batch)
                .bind(executions)
                .bind(WorkerId::new().0)
                .fetch_all(&mut *connection)
                .await
                .unwrap()
        }
        Fifo | FifoClaim => sqlx::query_scalar(
            "update builds set status = 'running', started_at = now()
             where id in (select id from builds where status = 'queued' order by queued_at, id limit $1
                          for update skip locked)
             returning id",
        )
        .bind(batch)
        .fetch_all(&mut *connection)
        .await
        .unwrap(),
        Floor | FloorClaim | Whole => {
            sqlx::query("update builds set status = 'running', started_at = now() where id = any ($1)")
                .bind(&ids)
                .execute(&mut *connection)
                .await
                .unwrap();
            ids
        }
    };
    match who {
        ClaimAndEnd => {
            sqlx::query(
                "with ended as (
                     update build_executions set status = 'succeeded', lease_expires_at = null, finished_at = now()
                     where build_id = any ($1) and status = 'running'
                 ), completed as (
                     update builds set status = 'completed', completed_at = now() where id = any ($1) returning tenant_id
                 )
                 select dispatch_wake(tenant_id) from completed",
            )
            .bind(&ids)
            .execute(&mut *connection)
            .await
            .unwrap();
        }
        Fifo | Floor => {
            sqlx::query("update builds set status = 'completed', completed_at = now() where id = any ($1)")
                .bind(&ids)
                .execute(&mut *connection)
                .await
                .unwrap();
        }
        _ => {}
    }
    ids.len()
}

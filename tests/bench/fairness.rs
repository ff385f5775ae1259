//! Who is served when: equal tenants, and a big one beside small ones.

use crate::measure::{heading, line};
use crate::product::Product;
use crate::seed;
use futures::future::join_all;
use image_factory::kernel::ids::WorkerId;
use sqlx::{PgConnection, PgPool, Row};
use std::collections::HashMap;
use uuid::Uuid;

const CLAIMERS: usize = 8;
const BATCH: usize = 100;
const SMALL: i64 = 999;
const EACH: i64 = 100;
const BIG: i64 = 400_000;
/// Builds of each small tenant that are waited for.
const SERVED: usize = 20;

pub async fn run() {
    heading(&format!("Fairness: {SMALL} tenants with {EACH} builds each, {CLAIMERS} claimers, batches of {BATCH}"));
    let product = Product::new().await;
    let mut sql = product.connect().await;
    seed::tenants(&mut sql, SMALL + 1).await;
    let small = format!("1 + n % {SMALL}");
    let per_run = SMALL * EACH;
    seed::queue(&mut sql, 0, per_run, &small).await;
    seed::sql(&mut sql, "vacuum analyze").await;
    let pool = product.pool(u32::try_from(CLAIMERS).unwrap()).await;
    let alone = serve(&product, &pool, &mut sql).await;
    let shares: Vec<f64> = alone.counts.values().map(|n| *n as f64).collect();
    line(&format!("Jain's index over tenants after {} claims", alone.claims), jain(&shares, SMALL), ">= 0.999");

    // The same again, beside a tenant that queued before all others.
    seed::sql(&mut sql, "truncate builds cascade; update dispatch_tenants set virtual_time = 0, ready = false").await;
    seed::queue(&mut sql, 0, BIG, "0").await;
    seed::queue(&mut sql, BIG, BIG + per_run, &small).await;
    seed::sql(&mut sql, "vacuum analyze").await;
    let beside = serve(&product, &pool, &mut sql).await;
    let what = format!("mean place of the small tenants' builds: beside one with {BIG} queued / without it");
    line(&what, beside.mean_place / alone.mean_place, "<= 1.1");
    line("the same if the queue were first in, first out", (BIG as f64 + alone.mean_place) / alone.mean_place, "");
    pool.close().await;
    product.stop().await;
}

struct Served {
    claims: usize,
    /// By tenant, the small ones alone.
    counts: HashMap<Uuid, usize>,
    /// Mean place in the order of claims, of the first builds of each small tenant.
    mean_place: f64,
}

/// Claims until every small tenant has been served; builds end as soon as they are claimed.
async fn serve(product: &Product, pool: &PgPool, sql: &mut PgConnection) -> Served {
    let big: Uuid = seed::tenant_id(0).0;
    let (mut place, mut places, mut counts) = (0usize, Vec::new(), HashMap::new());
    let goal = SERVED * usize::try_from(SMALL).unwrap();
    while places.len() < goal {
        let claimers = (0..CLAIMERS).map(|_| {
            let pool = pool.clone();
            product.tasks.spawn("claimer", async move {
                let executions: Vec<Uuid> = (0..BATCH).map(|_| Uuid::now_v7()).collect();
                sqlx::query("select tenant_id from claim_builds($1, $2, $3, 'bench', '{docker}', 30)")
                    .bind(i32::try_from(BATCH).unwrap())
                    .bind(executions)
                    .bind(WorkerId::new().0)
                    .fetch_all(&pool)
                    .await
                    .unwrap()
            })
        });
        let batches = join_all(claimers).await;
        for row in batches.into_iter().flat_map(Result::unwrap) {
            place += 1;
            let tenant: Uuid = row.get(0);
            if tenant == big {
                continue;
            }
            let count = counts.entry(tenant).or_insert(0usize);
            *count += 1;
            if *count <= SERVED {
                places.push(place as f64);
            }
        }
        seed::sql(
            sql,
            "update build_executions set status = 'succeeded', lease_expires_at = null, finished_at = now()
                 where status = 'running';
             update builds set status = 'completed', completed_at = now() where status = 'running';
             select dispatch_wake_all();",
        )
        .await;
    }
    let mean_place = places.iter().sum::<f64>() / places.len() as f64;
    Served { claims: place, counts, mean_place }
}

/// 1 when all got the same, 1/n when one got everything.
fn jain(shares: &[f64], tenants: i64) -> f64 {
    let (sum, squares) = shares.iter().fold((0.0, 0.0), |(s, q), x| (s + x, q + x * x));
    sum * sum / (tenants as f64 * squares)
}

//! Guessing passwords gets slower and slower, for the guesser alone.

use crate::support::{Client, PASSWORD, TestApp};
use serde_json::json;

async fn fail_until_throttled(client: &Client) -> u32 {
    for n in 1..=40 {
        let reply = client.login("not the password").await;
        if reply.status == 429 {
            assert!(reply.header("retry-after").parse::<u32>().unwrap() >= 1);
            reply.refused(429, "auth.throttled");
            return n;
        }
        reply.refused(401, "auth.wrong_password");
    }
    panic!("forty wrong passwords were not throttled");
}

#[tokio::test]
async fn guesses_on_one_account_are_throttled_and_other_accounts_are_not() {
    let app = TestApp::new().await;
    let (victim, neighbour) = (app.person(&[]).await, app.person(&[]).await);
    assert!(fail_until_throttled(&victim).await > 10, "ten failures are free");
    victim.login(PASSWORD).await.refused(429, "auth.throttled");
    neighbour.login(PASSWORD).await.expect(200);
    // The session that exists goes on.
    victim.get("/me").await.expect(200);
}

#[tokio::test]
async fn replicas_share_the_counters() {
    let one = TestApp::new().await;
    let key = one.app.config.encryption_key.clone();
    let two = TestApp::with(|c| {
        c.database.url = one.database.url().to_owned();
        c.encryption_key = key;
    })
    .await;
    let victim = one.person(&[]).await;
    fail_until_throttled(&victim).await;
    Client { url: two.url.clone(), ..victim }.login(PASSWORD).await.refused(429, "auth.throttled");
}

#[tokio::test]
async fn the_delay_doubles_up_to_a_limit_and_a_right_password_clears_it() {
    let app = TestApp::new().await;
    let victim = app.person(&[]).await;
    fail_until_throttled(&victim).await;
    let mut c = app.database.connect().await;
    let mut delays: Vec<f64> = Vec::new();
    for _ in 0..14 {
        // The delay is over.
        sqlx::query("update login_throttles set blocked_until = now()").execute(&mut c).await.unwrap();
        victim.login("not the password").await.refused(401, "auth.wrong_password");
        let delay = "select extract(epoch from blocked_until - updated_at)::float8 from login_throttles where key like 'pair:%'";
        delays.push(sqlx::query_scalar(delay).fetch_one(&mut c).await.unwrap());
    }
    for pair in delays.windows(2) {
        assert!((pair[1] - (pair[0] * 2.0).min(900.0)).abs() < 0.01, "{delays:?}");
    }
    assert!((delays.last().unwrap() - 900.0).abs() < 0.01, "{delays:?}");
    sqlx::query("update login_throttles set blocked_until = now()").execute(&mut c).await.unwrap();
    victim.login(PASSWORD).await.expect(200);
    let left: i64 = sqlx::query_scalar("select count(*) from login_throttles where key like 'pair:%'")
        .fetch_one(&mut c)
        .await
        .unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn an_account_under_attack_still_opens_from_where_its_owner_signed_in_before() {
    let app = TestApp::new().await;
    let victim = app.person(&[]).await;
    let mut c = app.database.connect().await;
    // As if a thousand addresses had guessed: the account's own counter is far over its limit, and blocked.
    let account = hex::encode(&image_factory::kernel::secret::fingerprint(&victim.email)[..16]);
    sqlx::query(
        "insert into login_throttles (key, failures, blocked_until) values ($1, 1000, now() + interval '1 minute')",
    )
    .bind(format!("account:{account}"))
    .execute(&mut c)
    .await
    .unwrap();
    victim.login(PASSWORD).await.expect(200);
    sqlx::query("delete from refresh_tokens").execute(&mut c).await.unwrap();
    sqlx::query("update sessions set ip = '192.0.2.1'").execute(&mut c).await.unwrap();
    victim.login(PASSWORD).await.refused(429, "auth.throttled");
}

#[tokio::test]
async fn guesses_of_the_present_password_are_throttled_like_signing_in() {
    let app = TestApp::new().await;
    let person = app.person(&[]).await;
    let body = json!({"current_password": "not the password", "new_password": "another long password"});
    for _ in 0..40 {
        let reply = person.post("/me/password", body.clone()).await;
        if reply.status == 429 {
            return;
        }
        assert_eq!(reply.faults(), ["/current_password wrong_password"]);
    }
    panic!("forty wrong passwords were not throttled");
}

#[tokio::test]
async fn behind_a_trusted_proxy_every_client_has_an_address_of_its_own() {
    let app = TestApp::with(|c| c.server.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()]).await;
    let victim = app.person(&[]).await;
    let login = async |address: &str, password: &str| {
        let body = json!({"email": victim.email, "password": password});
        let request = app.anonymous().request(reqwest::Method::POST, "/auth/login").header("X-Forwarded-For", address);
        victim.send(request.json(&body)).await.status.as_u16()
    };
    let mut last = 0;
    for _ in 0..40 {
        last = login("198.51.100.7", "not the password").await;
        if last == 429 {
            break;
        }
    }
    assert_eq!(last, 429);
    assert_eq!(login("198.51.100.7", PASSWORD).await, 429);
    assert_eq!(login("203.0.113.9", PASSWORD).await, 200, "elsewhere the right password opens");
}

#[tokio::test]
async fn right_passwords_at_the_same_time_are_not_throttled() {
    let app = TestApp::new().await;
    let people = futures::future::join_all((0..4).map(|_| app.person(&[]))).await;
    for _ in 0..5 {
        for reply in futures::future::join_all(people.iter().chain(&people).map(|p| p.login(PASSWORD))).await {
            reply.expect(200);
        }
    }
}

//! Lists of images and repositories: exactly what somebody may see, at the price of that alone.

use crate::support::hub::Client as Docker;
use crate::support::{Client, Tenant, TestApp};
use image_factory::images::catalog::{Catalog, CatalogShelf, ImageFilters};
use image_factory::images::registry::Shelf;
use image_factory::kernel::{Actor, PageRequest};
use image_factory::platform::db::{Config, Db};
use image_factory::tenancy::access::{Caller, TenantRole};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor, PgConnection};
use std::collections::BTreeSet;

/// A tenant with projects `big`, `hello` and `second`, its owner and somebody who may pull.
struct World {
    app: TestApp,
    acme: Tenant,
    owner: Client,
    viewer: Client,
}

impl World {
    async fn new() -> Self {
        let app = TestApp::new().await;
        let acme = app.tenant("acme").await;
        let owner = app.member(&acme, TenantRole::Owner).await;
        let viewer = app.member(&acme, TenantRole::Viewer).await;
        for slug in ["big", "hello", "second"] {
            owner.post("/projects", json!({"slug": slug})).await.expect(201);
        }
        Self { app, acme, owner, viewer }
    }

    /// Images `r-<n>` of a project, from one number to another (exclusive), found by the word `common`.
    async fn seed(&self, project: &str, from: i64, to: i64, visibility: &str) {
        let mut c = self.app.database.connect().await;
        let sql = format!(
            "create temporary table seeded as
                 select md5('{project}' || n)::uuid as id, p.tenant_id, p.id as project_id, 'r-' || n as name,
                        'acme/{project}/r-' || n as full_name
                 from generate_series({from}, {to} - 1) n join projects p on p.slug = '{project}';
             insert into repositories (id, tenant_id, project_id, name, full_name, created_at)
                 select id, tenant_id, project_id, name, full_name, now() from seeded;
             insert into images (id, tenant_id, project_id, name, repository, image_type, visibility, digest, pushed_by,
                                 pushed_at, created_at)
                 select id, tenant_id, project_id, name, full_name, 'container', '{visibility}', 'sha256:0', 'test', now(),
                        now() from seeded;
             insert into image_terms (tenant_id, image_id, term) select tenant_id, id, 'common' from seeded;
             analyze images; analyze repositories; analyze image_terms"
        );
        c.execute(AssertSqlSafe(sql)).await.unwrap();
    }

    async fn key(&self, person: &Client, project: &str) -> String {
        let id = self.owner.get(&format!("/projects/{project}")).await.expect(200)["id"].clone();
        let body = json!({"name": project, "scopes": ["image:pull", "project:read"], "project_id": id});
        person.post("/api-keys", body).await.expect(201)["key"].as_str().unwrap().to_owned()
    }

    async fn robot(&self, robot: Value) -> Docker {
        let made = self.owner.post("/robot-accounts", robot).await.expect(201);
        let login = made["robot_account"]["login"].as_str().unwrap();
        self.app.docker_as(login, made["secret"].as_str().unwrap())
    }
}

/// All names that the registry lists, in pages of so many.
async fn names(docker: &Docker, n: usize) -> Vec<String> {
    let (mut path, mut all) = (format!("/v2/_catalog?n={n}"), Vec::new());
    loop {
        let answer = docker.request(Method::GET, &path).send().await.unwrap();
        let link = answer.headers().get("link").map(|l| l.to_str().unwrap().to_owned());
        let page: Value = answer.json().await.unwrap();
        all.extend(page["repositories"].as_array().unwrap().iter().map(|v| v.as_str().unwrap().to_owned()));
        let Some(link) = link else { return all };
        link[1..link.find('>').unwrap()].clone_into(&mut path);
    }
}

/// All images that the API lists, by id and full name, in pages of seven.
async fn images(client: &Client, query: &str) -> Vec<(String, String)> {
    let (mut cursor, mut all) = (String::new(), Vec::new());
    loop {
        let page = client.get(&format!("/images?limit=7{query}{cursor}")).await.expect(200);
        let text = |image: &Value, key: &str| image[key].as_str().unwrap().to_owned();
        all.extend(page["items"].as_array().unwrap().iter().map(|i| (text(i, "id"), text(i, "repository"))));
        let Some(next) = page["next_cursor"].as_str() else { return all };
        cursor = format!("&cursor={next}");
    }
}

#[tokio::test]
async fn lists_show_exactly_what_somebody_may_see_in_order_and_in_pages() {
    let world = World::new().await;
    for (n, visibility) in (0..).zip(["tenant", "project", "public"]) {
        for project in ["big", "hello", "second"] {
            world.seed(project, n * 8, n * 8 + 8, visibility).await;
        }
    }
    let all = images(&world.owner, "").await;
    assert_eq!(all.len(), 72);
    let app = &world.app;
    let insider = app.member(&world.acme, TenantRole::Viewer).await;
    let path = format!("/projects/hello/members/{}", insider.user_id.unwrap());
    world.owner.put(&path, json!({"role": "viewer"})).await.expect(200);
    for (id, _) in all.iter().filter(|(_, name)| name.ends_with('9') || name.ends_with("10")) {
        let path = format!("/images/{id}/members/{}", insider.user_id.unwrap());
        world.owner.put(&path, json!({"role": "reader"})).await.expect(200);
    }
    let (inside, outside) = (world.key(&insider, "hello").await, world.key(&insider, "second").await);
    let people = [
        ("owner", world.owner.clone(), app.docker(&world.owner)),
        ("viewer", world.viewer.clone(), app.docker(&world.viewer)),
        ("insider", insider.clone(), app.docker(&insider)),
        ("key of the project", insider.with_token(&inside), app.docker_as("key", &inside)),
        ("key of another project", insider.with_token(&outside), app.docker_as("key", &outside)),
    ];
    for (who, client, docker) in people {
        let mut seen = BTreeSet::new();
        for (id, name) in &all {
            if client.get(&format!("/images/{id}")).await.status == 200 {
                seen.insert((id.clone(), name.clone()));
            }
        }
        let newest_first: Vec<_> = seen.iter().rev().cloned().collect();
        assert_eq!(images(&client, "").await, newest_first, "{who}");
        assert_eq!(images(&client, "&q=common").await, newest_first, "{who} searches");
        let of_project: Vec<_> = newest_first.iter().filter(|(_, n)| n.starts_with("acme/second/")).cloned().collect();
        if who != "key of the project" {
            assert_eq!(images(&client, "&project=second").await, of_project, "{who} in a project");
        }
        let by_name: BTreeSet<_> = seen.into_iter().map(|(_, name)| name).collect();
        assert_eq!(names(&docker, 5).await, Vec::from_iter(by_name), "{who} at the registry");
    }
}

#[tokio::test]
async fn a_robot_account_is_shown_what_it_may_pull() {
    let world = World::new().await;
    let owner = world.app.docker(&world.owner);
    for name in ["hello/w_b", "hello/web", "hello/web/api", "hello-b/web", "second/web"] {
        if name.starts_with("hello-b") {
            world.owner.post("/projects", json!({"slug": "hello-b"})).await.expect(201);
        }
        owner.image(&format!("acme/{name}"), "v1", &[]).await;
    }
    let stranger = world.app.member(&world.app.tenant("other").await, TenantRole::Owner).await;
    stranger.post("/projects", json!({"slug": "hello"})).await.expect(201);
    world.app.docker(&stranger).image("other/hello/web", "v1", &[]).await;
    let closed = images(&world.owner, "&name=web/api").await;
    let closed = format!("/images/{}", closed[0].0);
    world.owner.patch(&closed, json!({"visibility": "project"})).await.expect(200);

    let all = ["hello-b/web", "hello/w_b", "hello/web", "hello/web/api", "second/web"];
    let hello = world.owner.get("/projects/hello").await.expect(200)["id"].clone();
    let pull = json!(["pull"]);
    let cases: [(Value, Value, Value, &[&str]); 8] = [
        (json!(["*"]), Value::Null, pull.clone(), &all),
        (json!(["hello/*"]), Value::Null, pull.clone(), &all[1..4]),
        (json!(["*/web", "hello/*"]), Value::Null, pull.clone(), &all),
        (json!(["hello/w_b"]), Value::Null, pull.clone(), &all[1..2]),
        (json!(["hello/web", "second/web"]), Value::Null, pull.clone(), &["hello/web", "second/web"]),
        (json!(["*"]), hello.clone(), pull.clone(), &all[1..4]),
        (json!(["second/*"]), hello.clone(), pull, &[]),
        (json!(["*"]), Value::Null, json!(["delete"]), &[]),
    ];
    for (n, (repositories, project, actions, seen)) in cases.into_iter().enumerate() {
        let mut body = json!({"name": format!("r{n}"), "repositories": repositories, "actions": actions});
        if !project.is_null() {
            body["project_id"] = project;
        }
        let seen: Vec<_> = seen.iter().map(|name| format!("acme/{name}")).collect();
        assert_eq!(names(&world.robot(body.clone()).await, 2).await, seen, "{body}");
    }

    // What it may is asked anew.
    let robot = world.robot(json!({"name": "ci", "actions": ["pull"]})).await;
    let token = robot.token("registry:catalog:*").await;
    let listed = async || {
        let answer = robot.bearer(&token, Method::GET, "/v2/_catalog").send().await.unwrap();
        answer.json::<Value>().await.unwrap()["repositories"].as_array().unwrap().len()
    };
    assert_eq!(listed().await, 5);
    let accounts = world.owner.get("/robot-accounts?limit=100").await.expect(200);
    let account = accounts["items"].as_array().unwrap().iter().find(|a| a["name"] == "ci").unwrap().clone();
    let path = format!("/robot-accounts/{}", account["id"].as_str().unwrap());
    world.owner.patch(&path, json!({"disabled": true})).await.expect(200);
    assert_eq!(listed().await, 0);
}

/// Somebody's lists on a database with one connection, so that what they read can be told.
struct Reader<'a> {
    world: &'a World,
    db: Db,
    catalog: Catalog,
    observer: PgConnection,
}

impl<'a> Reader<'a> {
    async fn new(world: &'a World) -> Self {
        let config = Config { url: world.app.database.url().to_owned(), max_connections: 1, ..Config::default() };
        let (db, app) = (Db::connect_lazy(&config).unwrap(), &world.app.app);
        let (users, tenants) = (app.identity.users().clone(), app.tenants.clone());
        let (projects, registry) = (app.projects.clone(), app.registry.clone());
        let catalog = Catalog::new(db.clone(), app.clock.clone(), users, tenants, projects, registry);
        Self { world, db, catalog, observer: world.app.database.connect().await }
    }

    /// Rows and entries of indexes of the catalogue that were read since the last time.
    async fn rows_read(&mut self) -> i64 {
        let mut tx = self.db.tenant(self.world.acme.id).await.unwrap();
        sqlx::query("select pg_stat_force_next_flush()").execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
        let total = "select sum(pg_stat_get_tuples_returned(oid) + pg_stat_get_tuples_fetched(oid))::bigint
                     from pg_class where relname like 'image%'";
        let reset = "select count(pg_stat_reset_single_table_counters(oid)) from pg_class where relname like 'image%'";
        let read = sqlx::query_scalar(total).fetch_one(&mut self.observer).await.unwrap();
        sqlx::query(reset).execute(&mut self.observer).await.unwrap();
        read
    }

    /// What each list reads: the registry's names, the API's images, and those that a frequent word finds.
    async fn costs(&mut self, caller: &Caller, seen: usize) -> [i64; 3] {
        let mut costs = [0; 3];
        // Often enough that the database could have made up its mind for a plan that fits all.
        for _ in 0..8 {
            self.rows_read().await;
            let mut tx = self.db.tenant(self.world.acme.id).await.unwrap();
            let names = CatalogShelf.repositories(&mut tx, caller, "", 50).await.unwrap();
            tx.commit().await.unwrap();
            costs[0] = self.rows_read().await;
            for (n, query) in [None, Some("common".to_owned())].into_iter().enumerate() {
                let filters = ImageFilters { query, ..ImageFilters::default() };
                let page = PageRequest { limit: 50, cursor: None };
                let images = self.catalog.list(caller, &filters, &page).await.unwrap();
                assert_eq!((names.len(), images.items.len()), (seen, seen), "{filters:?}");
                costs[n + 1] = self.rows_read().await;
            }
        }
        costs
    }

    async fn robot_cost(&mut self, seen: usize) -> i64 {
        self.rows_read().await;
        let mut tx = self.db.tenant(self.world.acme.id).await.unwrap();
        let patterns = ["acme/hello/*".to_owned()];
        let names = CatalogShelf.repositories_matching(&mut tx, "acme/", &patterns, "", 100).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(names.len(), seen);
        self.rows_read().await
    }
}

#[tokio::test]
async fn lists_among_fifty_thousand_images_read_what_they_show() {
    let world = World::new().await;
    let member = world.app.member(&world.acme, TenantRole::Viewer).await;
    world.seed("hello", 0, 10, "tenant").await;
    world.seed("big", 0, 1000, "project").await;
    let role = "insert into image_members (tenant_id, image_id, user_id, role, added_at)
                select tenant_id, id, $1, 'reader', now() from images where repository = 'acme/big/r-500'";
    let mut c = world.app.database.connect().await;
    sqlx::query(role).bind(member.user_id.unwrap().0).execute(&mut c).await.unwrap();
    world.key(&world.viewer, "hello").await;
    let key: uuid::Uuid = sqlx::query_scalar("select id from api_keys").fetch_one(&mut c).await.unwrap();

    let callers = [
        ("who sees everything", Actor::User(world.owner.user_id.unwrap()), 50),
        ("who sees what is open", Actor::User(world.viewer.user_id.unwrap()), 10),
        ("who has a role on one image, too", Actor::User(member.user_id.unwrap()), 11),
        ("a key of one project", Actor::ApiKey(key.into()), 10),
    ];
    world.seed("big", 1000, 50_000, "project").await;
    let mut reader = Reader::new(&world).await;
    for (who, actor, seen) in callers {
        let caller = Box::pin(world.app.app.identity.caller_of(&actor, "acme")).await.unwrap().unwrap();
        let [names, images, found] = reader.costs(&caller, seen).await;
        let read = format!("{who}: {names} for names, {images} for images, {found} for a word");
        assert!(names < 300 && images < 600, "{read}");
        // That a word is frequent is known when a thousand images were found by it.
        assert!(found < 3000, "{read}");
    }
    let robot = reader.robot_cost(10).await;
    assert!(robot < 300, "a robot account: {robot}");
}

//! A client of the API that says what it got when it got something else than expected.

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;

/// Somebody signed in.
#[derive(Clone)]
pub struct Api {
    http: Client,
    url: String,
    token: String,
    tenant: Option<String>,
}

/// An answer, not yet judged.
pub struct Answer {
    what: String,
    /// The HTTP status.
    pub status: StatusCode,
    /// The body, as JSON where it is.
    pub body: Value,
}

impl Api {
    /// Signs in.
    pub async fn login(url: &str, email: &str, password: &str) -> Self {
        let anonymous = Self { http: Client::new(), url: url.to_owned(), token: String::new(), tenant: None };
        let body = anonymous
            .post("/auth/login", &json!({"email": email, "password": password, "tokens_in_body": true}))
            .await
            .expect(200);
        let token = body["access_token"].as_str().expect("an access token").to_owned();
        Self { token, ..anonymous }
    }

    /// The same person in another tenant.
    pub fn in_tenant(&self, tenant: &str) -> Self {
        Self { tenant: Some(tenant.to_owned()), ..self.clone() }
    }

    /// The access token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The server's address.
    pub fn url(&self) -> &str {
        &self.url
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let mut request =
            self.http.request(method, format!("{}/api/v1{path}", self.url)).timeout(Duration::from_mins(1));
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        match &self.tenant {
            Some(tenant) => request.header("x-tenant-id", tenant),
            None => request,
        }
    }

    /// A raw request, to be finished by the caller.
    pub fn raw(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.request(method, path)
    }

    pub async fn get(&self, path: &str) -> Answer {
        Answer::of(format!("GET {path}"), self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        Answer::of(format!("POST {path} {body}"), self.request(Method::POST, path).json(body)).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        Answer::of(format!("PUT {path} {body}"), self.request(Method::PUT, path).json(body)).await
    }

    /// Submits a build; gives its id.
    pub async fn submit(&self, body: &Value) -> String {
        self.post("/builds", body).await.expect(202)["id"].as_str().expect("an id").to_owned()
    }

    /// The build when its status is one of these; waits for it, at most two minutes.
    pub async fn wait_build(&self, id: &str, statuses: &[&str]) -> Value {
        let mut last = Value::Null;
        for _ in 0..1200 {
            last = self.get(&format!("/builds/{id}")).await.expect(200);
            if statuses.contains(&last["status"].as_str().unwrap_or_default()) {
                return last;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("build {id} did not become {statuses:?}: {last:#}");
    }

    /// The build when it has ended.
    pub async fn wait_final(&self, id: &str) -> Value {
        self.wait_build(id, &["completed", "failed", "cancelled"]).await
    }

    /// All lines of a build's log.
    pub async fn log(&self, id: &str) -> Vec<String> {
        let (mut after, mut lines) = (0, Vec::new());
        loop {
            let page = self.get(&format!("/builds/{id}/logs?lines=10000&after={after}")).await.expect(200);
            lines.extend(page["items"].as_array().unwrap().iter().map(|l| l["text"].as_str().unwrap().to_owned()));
            match page["next_after"].as_i64() {
                Some(next) => after = next,
                None => return lines,
            }
        }
    }

    /// Uploads a folder's files as a build context; gives its id.
    pub async fn upload(&self, project: &str, files: &[(&str, &[u8], u32)]) -> String {
        let answer = self.upload_bytes(project, archive(files)).await;
        answer.expect(201)["id"].as_str().unwrap().to_owned()
    }

    /// Uploads bytes that should be a context.
    pub async fn upload_bytes(&self, project: &str, bytes: Vec<u8>) -> Answer {
        let path = format!("/projects/{project}/contexts");
        let request = self.request(Method::POST, &path).header("content-type", "application/gzip").body(bytes);
        Answer::of(format!("POST {path}"), request).await
    }
}

/// A gzipped tar of files: name, content, mode.
pub fn archive(files: &[(&str, &[u8], u32)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    for (name, content, mode) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(*mode);
        tar.append_data(&mut header, name, *content).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

/// The machine's static busybox.
pub fn busybox() -> Vec<u8> {
    std::fs::read("/bin/busybox").expect("busybox-static is installed")
}

impl Answer {
    async fn of(what: String, request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.unwrap_or_else(|e| panic!("{what}: {e:?}"));
        let status = response.status();
        let text = response.text().await.unwrap_or_else(|e| panic!("{what}: {e:?}"));
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Self { what, status, body }
    }

    /// The body, when the status is this one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}: {:#}", self.what, self.body);
        self.body
    }

    /// The body, when the status is of success.
    #[track_caller]
    pub fn expect_success(self) -> Value {
        assert!(self.status.is_success(), "{}: {} {:#}", self.what, self.status, self.body);
        self.body
    }

    /// The code of a problem, when the status is this one.
    #[track_caller]
    pub fn problem(self, status: u16) -> String {
        let body = self.expect(status);
        body["code"].as_str().unwrap_or_else(|| panic!("no problem: {body:#}")).to_owned()
    }

    /// `pointer code` of every fault, sorted, when the status is 422.
    #[track_caller]
    pub fn faults(self) -> Vec<String> {
        let body = self.expect(422);
        let text = |f: &Value, k: &str| f[k].as_str().unwrap_or_default().to_owned();
        let mut all: Vec<String> = body["errors"]
            .as_array()
            .unwrap_or_else(|| panic!("no faults: {body:#}"))
            .iter()
            .map(|f| format!("{} {}", text(f, "pointer"), text(f, "code")))
            .collect();
        all.sort();
        all
    }
}

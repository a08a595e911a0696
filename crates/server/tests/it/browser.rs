//! A browser without scripts, by hand: it keeps cookies, sends the forms of the page that it is on, follows the way it is shown.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::collections::BTreeMap;

use axum::http::Method;

use crate::app::{Answer, TestApp};

/// A browser at an address.
pub(crate) struct Browser<'a> {
    app: &'a TestApp,
    address: &'static str,
    pub(crate) language: &'static str,
    pub(crate) cookies: BTreeMap<String, String>,
    /// Where it is.
    pub(crate) at: String,
    /// What it sees.
    pub(crate) page: Answer,
}

/// A form of a page: where it goes and what goes with it.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    pub(crate) action: String,
    pub(crate) hidden: Vec<(String, String)>,
}

impl<'a> Browser<'a> {
    pub(crate) async fn open(app: &'a TestApp, address: &'static str, path: &str) -> Self {
        Self::speaking(app, address, "en", path).await
    }

    pub(crate) async fn speaking(app: &'a TestApp, address: &'static str, language: &'static str, path: &str) -> Self {
        let page = Answer { status: 0, headers: axum::http::HeaderMap::new(), body: Vec::new() };
        let mut browser = Self { app, address, language, cookies: BTreeMap::new(), at: String::new(), page };
        browser.go(path).await;
        browser
    }

    async fn request(&mut self, method: Method, path: &str, body: String, site: Option<&str>) {
        let mut client = self.app.from(self.address).saying("accept-language", self.language);
        if !self.cookies.is_empty() {
            let all: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            client = client.saying("cookie", &all.join("; "));
        }
        if let Some(site) = site {
            client = client.saying("sec-fetch-site", site);
        }
        client = client.saying("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0");
        self.page = client.send(method, path, body).await;
        path.clone_into(&mut self.at);
        for cookie in self.page.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.contains("; Path=/; HttpOnly; SameSite=Lax"), "{cookie}");
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    /// Follows the way it is shown, within the house.
    async fn follow(&mut self) {
        for _ in 0..5 {
            if self.page.status != 303 {
                return;
            }
            let to = self.page.header("location").unwrap().to_owned();
            self.at = to.clone();
            if !to.starts_with('/') {
                return;
            }
            self.request(Method::GET, &to, String::new(), None).await;
        }
        panic!("round and round: {}", self.at);
    }

    pub(crate) async fn go(&mut self, path: &str) {
        self.request(Method::GET, path, String::new(), None).await;
        self.follow().await;
    }

    /// The forms of the page.
    pub(crate) fn forms(&self) -> Vec<Form> {
        let html = self.page.text();
        let attribute = |tag: &str, name: &str| {
            let rest = tag.split(&format!(" {name}=\"")).nth(1)?;
            Some(rest.split('"').next()?.replace("&#34;", "\"").replace("&#38;", "&").replace("&amp;", "&"))
        };
        let forms = html.split("<form").skip(1).map(|form| {
            let form = form.split("</form>").next().unwrap();
            let action = attribute(form.split('>').next().unwrap(), "action").unwrap_or_default();
            let inputs = form.split("<input").skip(1).map(|input| input.split('>').next().unwrap());
            let hidden = inputs
                .filter(|input| input.contains("type=\"hidden\""))
                .filter_map(|input| Some((attribute(input, "name")?, attribute(input, "value").unwrap_or_default())));
            Form { action, hidden: hidden.collect() }
        });
        forms.collect()
    }

    /// The form that goes there.
    pub(crate) fn form(&self, action: &str) -> Form {
        let forms = self.forms();
        let found = forms.iter().find(|form| form.action == action);
        found.unwrap_or_else(|| panic!("no form to {action} on {}: {}", self.at, self.page.text())).clone()
    }

    /// Sends the form of this page that goes there, with these fields.
    pub(crate) async fn send(&mut self, action: &str, fields: &[(&str, &str)]) {
        let form = self.form(action);
        self.send_form(&form, fields).await;
    }

    /// Sends a form, from this page or another.
    pub(crate) async fn send_form(&mut self, form: &Form, fields: &[(&str, &str)]) {
        self.submit(form, fields, Some("same-origin")).await;
        self.follow().await;
    }

    /// Sends a form as if from that site, and stays there.
    pub(crate) async fn submit(&mut self, form: &Form, fields: &[(&str, &str)], site: Option<&str>) {
        let hidden = form.hidden.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(hidden.chain(fields.iter().copied()));
        self.request(Method::POST, &form.action, body.finish(), site).await;
    }

    /// Asks for a code and a link for an address.
    pub(crate) async fn ask(&mut self, email: &str) {
        self.send("/signin", &[("email", email)]).await;
        assert_eq!((self.page.status, self.at.as_str()), (200, "/signin/code"), "{}", self.page.text());
    }

    pub(crate) fn sees(&self, text: &str) -> bool {
        self.page.text().contains(text)
    }
}

impl TestApp {
    /// The path of the link in the newest message to an address.
    pub(crate) fn last_link(&self, address: &str) -> String {
        let entries = self.app.inbox.as_ref().unwrap().list(Some(address));
        let link = entries.first().unwrap().message().link.as_ref().unwrap().expose().clone();
        link.strip_prefix(&self.app.base_url()).unwrap().to_owned()
    }
}

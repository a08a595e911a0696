//! The Doorcode server, as a collector speaks to it: HTTP/1.1 on a connection that is kept. Refuses redirects, and answers without end.

use std::time::Duration;

use doorcode_core::Secret;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;

use super::settings::Setup;
use crate::egress::{Egress, Target};

/// The most bytes of an answer.
const ANSWER: usize = 4 << 20;
/// How long an answer may take beyond what was asked to be waited.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection, or what makes one.
pub(super) struct Link {
    egress: Egress,
    target: Target,
    tls: bool,
    key: Secret<String>,
    sender: Option<SendRequest<Full<Bytes>>>,
}

/// No answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Gone(pub(super) &'static str);

impl Link {
    pub(super) fn new(setup: &Setup) -> Self {
        Self {
            egress: setup.egress.clone(),
            target: setup.server.clone(),
            tls: setup.tls,
            key: Secret::new(setup.key.expose().clone()),
            sender: None,
        }
    }

    /// Has a connection ready, so that who needs it next does not wait for one.
    pub(super) async fn warm(&mut self) -> Result<(), Gone> {
        if self.sender.as_ref().is_none_or(|sender| sender.is_closed() || !sender.is_ready()) {
            self.sender = Some(self.connect().await?);
        }
        Ok(())
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, Gone> {
        let connect = async {
            let mut line = self.egress.open(&self.target).await?;
            if self.tls {
                line = self.egress.protect(&self.target, line).await?;
            }
            line.allow(usize::MAX);
            Ok(line)
        };
        let line = connect.await.map_err(|failure: crate::egress::Failure| Gone(failure.why))?;
        let (sender, connection) = handshake(TokioIo::new(line)).await.map_err(|_| Gone("no connection"))?;
        tokio::spawn(connection);
        Ok(sender)
    }

    /// Asks, and gives status and body. Once more on a new connection, where the kept one was none any more.
    pub(super) async fn ask(
        &mut self,
        method: Method,
        path: &str,
        body: &str,
        wait: Duration,
    ) -> Result<(u16, Bytes), Gone> {
        for last in [false, true] {
            self.warm().await?;
            let exchange = self.exchange(method.clone(), path, body);
            match tokio::time::timeout(wait + PATIENCE, exchange).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(gone)) if last => return Err(gone),
                Ok(Err(_)) => self.sender = None,
                Err(_) => {
                    self.sender = None;
                    return Err(Gone("no answer in time"));
                }
            }
        }
        Err(Gone("no connection"))
    }

    async fn exchange(&mut self, method: Method, path: &str, body: &str) -> Result<(u16, Bytes), Gone> {
        let broken = || Gone("the connection broke");
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, self.target.authority())
            .header(CONTENT_TYPE, "application/json")
            .header(AUTHORIZATION, format!("Bearer {}", self.key.expose()))
            .body(Full::new(Bytes::copy_from_slice(body.as_bytes())))
            .map_err(|_| Gone("the key has characters that no key has"))?;
        let sender = self.sender.as_mut().ok_or_else(broken)?;
        let answer = sender.send_request(request).await.map_err(|_| broken())?;
        let status = answer.status().as_u16();
        let body = Limited::new(answer.into_body(), ANSWER).collect().await.map_err(|_| broken())?;
        Ok((status, body.to_bytes()))
    }
}

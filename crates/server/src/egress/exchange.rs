//! One request and its answer, by HTTP/1.1 on a connection of its own. Refuses to follow, to remember and to wait: a head
//! has a size, of a body no more is read than is polite, or than has room, and nothing outlives the exchange.

use std::pin::pin;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{CONTENT_LENGTH, HOST};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::failure::{Failure, Kind};
use super::target::Target;

/// The most bytes of an answer's head, and of its body.
const HEAD: usize = 64 * 1024;
const BODY: usize = 64 * 1024;

/// How long a body is listened to. Its words count for nothing; a server that is cut off in the middle may call it a fault.
const LISTEN: Duration = Duration::from_secs(1);

/// The request, made before anybody is connected to.
pub(super) fn request(
    target: &Target,
    headers: &[(&'static str, String)],
    body: Vec<u8>,
) -> Result<Request<Full<Bytes>>, Failure> {
    let mut request = Request::post(target.path()).header(HOST, target.authority()).header(CONTENT_LENGTH, body.len());
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    request
        .body(Full::new(Bytes::from(body)))
        .map_err(|_| Failure::new(Kind::Protocol, "the request can't be written down"))
}

/// What is made of an answer's body.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    /// Nothing: the head has said how it went.
    Unheard,
    /// It is what was asked for.
    Kept,
}

/// Sends it and reads what comes, as far as it counts: the status, and the body if it is kept.
pub(super) async fn speak<S>(stream: S, request: Request<Full<Bytes>>, body: Body) -> Result<(u16, Vec<u8>), Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let broken = |_| Failure::new(Kind::Protocol, "the connection broke, or the answer is no HTTP");
    let (mut sender, connection) =
        http1::Builder::new().max_buf_size(HEAD).handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let mut exchange = pin!(async move {
        let answer = sender.send_request(request).await.map_err(broken)?;
        let status = answer.status();
        if status.is_redirection() {
            return Err(Failure::redirect(status.as_u16()));
        }
        let heard = match body {
            Body::Kept => keep(answer.into_body()).await?,
            Body::Unheard => {
                // Whatever the body does, the head has said how it went.
                drop(tokio::time::timeout(LISTEN, hear_out(answer.into_body())).await);
                Vec::new()
            }
        };
        Ok((status.as_u16(), heard))
    });
    tokio::select! {
        biased;
        outcome = &mut exchange => outcome,
        // The other end has hung up; what came before that is still to be read.
        _ = connection => exchange.await,
    }
}

/// Reads a body up to its limit and throws it away.
async fn hear_out(mut body: Incoming) {
    let mut heard = 0;
    while let Some(Ok(frame)) = body.frame().await {
        heard += frame.data_ref().map_or(0, Bytes::len);
        if heard > BODY {
            return;
        }
    }
}

/// Reads a body that has a limit.
async fn keep(mut body: Incoming) -> Result<Vec<u8>, Failure> {
    let mut kept = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame =
            frame.map_err(|_| Failure::new(Kind::Protocol, "the connection broke in the middle of an answer"))?;
        kept.extend_from_slice(frame.data_ref().map_or(&[], |data| &data[..]));
        if kept.len() > BODY {
            return Err(Failure::new(Kind::Protocol, "the answer is too long"));
        }
    }
    Ok(kept)
}

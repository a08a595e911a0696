//! Runs the house on a listener until it is told to stop. The caller owns the socket, the stop and the time. Refuses
//! slow heads and endless ones, clients that do not take their answer, and more connections than it was given room for.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{Request, header};
use doorcode_core::Result;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt as _;

use crate::api::{self, Peer, Place};
use crate::app::App;
use crate::capture::{inbound, watched};
use crate::clock::Stopwatch;
use crate::deliver::push;
use crate::deliver::webhooks::Sender;
use crate::deliver::worker::Worker;
use crate::descriptors;
use crate::ops::jobs::{self, Left};
use crate::ops::outbox::Waiting;
use crate::ops::{mailboxes, relays};

/// The most bytes of a request's head.
const HEAD_MOST: usize = 32 * 1024;
/// The most headers of one.
const HEADERS_MOST: usize = 64;

/// Serves until `stop` is ready, then lets open requests and messages on their way end, and closes the store.
pub async fn run(app: Arc<App>, waiting: Waiting, listener: TcpListener, stop: impl Future<Output = ()>) -> Result<()> {
    let worker = Arc::new(Worker::new(Arc::clone(&app), waiting)?);
    let mail = inbound::Listener::bind(&app, inbound::Patience::default())?;
    let (stopping, stopped) = watch::channel(false);
    let mut deliveries = JoinSet::new();
    for _ in 0..worker.lanes() {
        let (worker, mut stopped) = (Arc::clone(&worker), stopped.clone());
        deliveries.spawn(async move { while worker.deliver_handed(&mut stopped).await {} });
    }
    deliveries.spawn(deliver_due(Arc::clone(&app), Arc::clone(&worker), stopped.clone()));
    let mail_stopped = stopped.clone();
    deliveries.spawn(send_webhooks(Arc::clone(&app), stopped));
    let mut background = JoinSet::new();
    if let Some(mail) = mail {
        background.spawn(mail.run(mail_stopped));
    }
    background.spawn(every_second(Arc::clone(&app)));
    background.spawn(sweep(Arc::clone(&app)));
    background.spawn(look_at_holds(Arc::clone(&app)));
    background.spawn(push::tell_all(Arc::clone(&app), app.asked.subscribe()));
    background.spawn(watched::watch_all(Arc::clone(&app), mailboxes_most(&app)));

    accept(&app, listener, stop).await;
    background.shutdown().await;
    // A message that is on its way is let go out and recorded, so that it does not go out again. What waits behind it has
    // its row: whoever starts next sends it.
    stopping.send_replace(true);
    let ended = async { while deliveries.join_next().await.is_some() {} };
    if tokio::time::timeout(app.config.server.drain_timeout, ended).await.is_err() {
        tracing::warn!("a message on its way did not end in time; it may go out again");
    }
    // Another server need not wait until this one's time with them is over.
    if let Err(error) = mailboxes::release(&app).await {
        tracing::warn!(error = %crate::chain(&error), "the mailboxes that this server watched could not be left to others");
    }
    if let Err(error) = jobs::say_gone(&app).await {
        tracing::warn!(error = %crate::chain(&error), "the others could not be told that this server ends");
    }
    if let Err(error) = app.mark_time().await {
        tracing::error!(error = %crate::chain(&error), "the time could not be marked");
    }
    app.db.close().await;
    Ok(())
}

/// How many mailboxes this server watches at the most.
fn mailboxes_most(app: &App) -> usize {
    let set = &app.config.capture.mailboxes;
    if set.are_on() { descriptors::mailboxes(set.most as usize) } else { 0 }
}

async fn accept(app: &Arc<App>, listener: TcpListener, stop: impl Future<Output = ()>) {
    let server = &app.config.server;
    let router = api::router(app);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(server.read_timeout)
        .max_buf_size(HEAD_MOST)
        .max_headers(HEADERS_MOST)
        .keep_alive(true);
    let places = descriptors::connections(server.max_connections, mailboxes_most(app)).min(Semaphore::MAX_PERMITS);
    let room = Arc::new(Semaphore::new(places));
    let (ending, ended) = watch::channel(false);
    let mut stop = std::pin::pin!(stop);
    loop {
        let permit = Arc::clone(&room).acquire_owned();
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = async { (permit.await, listener.accept().await) } => accepted,
        };
        match accepted {
            (Ok(permit), Ok((stream, peer))) => {
                let place = Place(Arc::new(permit));
                let connection = connect(&http, &router, stream, peer, &place, server.read_timeout);
                tokio::spawn(keep(connection, ended.clone(), place));
            }
            (_, Err(error)) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            (Err(_), _) => break,
        }
    }
    app.feed.close();
    // At once, so that whoever comes now is refused and can go elsewhere, and does not wait for nothing.
    drop(listener);
    ending.send_replace(true);
    // Every connection has its place for as long as it is open, those that became sockets too.
    let all = room.acquire_many(u32::try_from(places).unwrap_or(u32::MAX));
    if tokio::time::timeout(server.drain_timeout, all).await.is_err() {
        tracing::warn!("some requests did not end in time");
    }
}

/// Boxed, or the task would hold it twice: as what it was given and as what it waits for.
type Connection = Pin<Box<http1::UpgradeableConnection<TokioIo<Pin<Box<TimeoutStream<TcpStream>>>>, Served>>>;

/// Answers until the connection ends, or becomes something else; from the end of the house on, no further request.
async fn keep(mut connection: Connection, mut ended: watch::Receiver<bool>, place: Place) {
    let ending = async { drop(ended.wait_for(|ended| *ended).await) };
    tokio::select! {
        // A client that breaks its connection is its own affair.
        _ = connection.as_mut() => {}
        () = ending => {
            connection.as_mut().graceful_shutdown();
            drop(connection.await);
        }
    }
    drop(place);
}

/// The router, told who the other end is.
#[derive(Clone)]
struct Served {
    router: Router,
    peer: Peer,
    place: Place,
}

impl hyper::service::Service<Request<Incoming>> for Served {
    type Response = axum::response::Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = std::result::Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(self.peer);
        // What the connection becomes keeps its place.
        if request.headers().contains_key(header::UPGRADE) {
            request.extensions_mut().insert(self.place.clone());
        }
        Box::pin(self.router.clone().oneshot(request))
    }
}

fn connect(
    http: &http1::Builder,
    router: &Router,
    stream: TcpStream,
    peer: SocketAddr,
    place: &Place,
    patience: Duration,
) -> Connection {
    // Answers are small and waited for.
    drop(stream.set_nodelay(true));
    // Whoever asks and never reads would keep its place for ever: hyper has a time for heads, and none for answers.
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(patience));
    let served = Served { router: router.clone(), peer: Peer(peer), place: place.clone() };
    Box::pin(http.serve_connection(TokioIo::new(Box::pin(stream)), served).with_upgrades())
}

/// Retries, and what a crash or a full outbox left behind.
async fn deliver_due(app: Arc<App>, worker: Arc<Worker>, mut stopped: watch::Receiver<bool>) {
    while !*stopped.borrow() {
        let pause = match worker.deliver_due().await {
            Ok(0) => Duration::from_secs(1),
            Ok(_) => Duration::ZERO,
            Err(error) => {
                tracing::warn!(error = %crate::chain(&error), "the outbox could not be read");
                Duration::from_secs(2)
            }
        };
        let waiting = app.db.read(|tx| Box::pin(crate::store::deliveries::waiting(tx))).await;
        app.metrics.waiting.set(waiting.unwrap_or_default());
        // Either the pause is over or the house closes; both are looked at above.
        drop(tokio::time::timeout(pause, stopped.changed()).await);
    }
}

/// Webhooks: a look every second, and one more whenever a try has ended and its place is free.
async fn send_webhooks(app: Arc<App>, mut stopped: watch::Receiver<bool>) {
    let (sender, mut tries) = (Sender::new(app), JoinSet::new());
    while !*stopped.borrow() {
        let pause = match sender.begin_due(&mut tries).await {
            Ok(0) => Duration::from_secs(1),
            Ok(_) => Duration::ZERO,
            Err(error) => {
                tracing::warn!(error = %crate::chain(&error), "the webhooks that are due could not be read");
                Duration::from_secs(2)
            }
        };
        tokio::select! {
            _ = stopped.changed() => {}
            Some(_) = tries.join_next() => {}
            () = tokio::time::sleep(pause) => {}
        }
        while tries.try_join_next().is_some() {}
    }
    // What is on its way ends by itself; what waits has its row.
    while tries.join_next().await.is_some() {}
}

async fn every_second(app: Arc<App>) {
    let mut state = jobs::Sweep::default();
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        if let Err(error) = jobs::tick(&app, &mut state).await {
            tracing::error!(error = %crate::chain(&error), "the second's work failed");
        }
        if let Err(error) = relays::expire_all(&app).await {
            tracing::error!(error = %crate::chain(&error), "requests whose time is up were not written down");
        }
    }
}

/// Whether those who stay for long still may: the next ones of them, every second.
async fn look_at_holds(app: Arc<App>) {
    let mut place = None;
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        match app.holds.look(&app, place).await {
            Ok(next) => place = next,
            Err(error) => tracing::warn!(error = %crate::chain(&error), "keys in use could not be looked at"),
        }
    }
}

/// Between two batches where little is left.
const CLOSE: Duration = Duration::from_millis(200);
/// Of the time that a batch takes, how often it is rested afterwards where much is left: retention has a fifth of a writer at the most.
const REST: u32 = 4;

/// Retention: small batches, one behind another where much is left, close together while there is something to remove, a minute
/// apart when there is not.
async fn sweep(app: Arc<App>) {
    let mut state = jobs::Sweep::default();
    loop {
        let watch = Stopwatch::start();
        let pause = match jobs::sweep(&app, &mut state).await {
            Ok(Left::Much) => (watch.elapsed() * REST).clamp(Duration::from_millis(5), CLOSE),
            Ok(Left::Some) => CLOSE,
            Ok(Left::Nothing) => Duration::from_secs(60),
            Err(error) => {
                tracing::error!(error = %crate::chain(&error), "retention failed");
                Duration::from_secs(60)
            }
        };
        tokio::time::sleep(pause).await;
    }
}

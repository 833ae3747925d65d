use std::{pin::pin, sync::Arc};

use axum::{Router, serve::Listener};
use hyper::{body::Incoming, server::conn::http1, service::Service as _};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::JoinSet,
    time::timeout,
};

use super::{
    HttpSettings,
    routes::{App, routes},
    stop::{Stop, Stopping, stopper},
    stream::{FaultyStream, StreamControl},
};
use crate::{
    message::ErrorCode,
    relay::{RelayEvent, SharedRelay},
};

/// The longest head of a request, in bytes; hyper answers 431 beyond (RFC 6585 §5).
const HEAD_BYTES: usize = 32 * 1024;

/// Serves `relay` on what `listener` accepts, until `shutdown` resolves; then every poll is answered,
/// every WebSocket closed with 1001 (RFC 6455 §7.4.1), and nothing more accepted. Dropping the future
/// ends everything at once, without a word.
pub async fn serve<L: Listener>(
    mut listener: L,
    relay: SharedRelay,
    settings: HttpSettings,
    shutdown: impl Future<Output = ()> + Send,
) {
    let settings = Arc::new(settings);
    let (mut stopper, stop) = stopper();
    let router = routes(App { relay: relay.clone(), settings: Arc::clone(&settings), stop: stop.clone() });
    let mut connections = JoinSet::new();
    // Held by every stream, those that have become WebSockets included.
    let open = Arc::new(());
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            biased;
            () = &mut shutdown => break,
            Some(_ended) = connections.join_next() => {}
            (stream, _) = listener.accept() => if Arc::strong_count(&open) <= settings.limits.connections {
                let stream = FaultyStream::new(stream, StreamControl::default(), Some(Arc::clone(&open)));
                connections.spawn(serve_stream(stream, router.clone(), Arc::clone(&settings), stop.clone()));
            } else {
                let reason = format!("{} connections are open, and one more is closed", settings.limits.connections);
                let code = ErrorCode::RelayFull;
                relay.report(RelayEvent::Refused { call: None, participant: None, code, reason });
            },
        }
    }
    drop((listener, router, relay, stop));
    stopper.stop();
    let _in_time = timeout(settings.limits.stop_within, async {
        while connections.join_next().await.is_some() {}
        stopper.ended().await;
    })
    .await;
}

/// One stream, until its last request is answered or it has become a WebSocket.
async fn serve_stream<S>(stream: FaultyStream<S>, router: Router, settings: Arc<HttpSettings>, stop: Stop)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let control = stream.control();
    let endpoints = TowerToHyperService::new(router);
    let service = hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(control.clone());
        endpoints.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(settings.limits.head_within)
        .max_buf_size(HEAD_BYTES)
        .auto_date_header(false)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    tokio::select! {
        biased;
        // A stream that fails has nobody left to tell.
        _ended = connection.as_mut() => return,
        how = stop.stopping() => if how == Stopping::AtOnce { return },
    }
    connection.as_mut().graceful_shutdown();
    let _ended = connection.await;
}

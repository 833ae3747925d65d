//! The person at a peer: what they do when it rings.

use call_engine::Engine;
use signaller::CallId;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::plan::OnRing;

/// Answers each ring as the plan says, until nobody rings any more.
pub(super) async fn answer_rings(engine: Engine, on_ring: OnRing, mut rings: UnboundedReceiver<CallId>) {
    while rings.recv().await.is_some() {
        match on_ring {
            OnRing::Accept { after } => {
                tokio::time::sleep(after).await;
                engine.accept();
            }
            OnRing::Reject { after } => {
                tokio::time::sleep(after).await;
                engine.reject();
            }
            OnRing::Ignore => {}
        }
    }
}

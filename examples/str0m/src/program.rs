//! What the scenario talks to.

use callsim::{Command, Place, Program, Unsupported};
use stage::BoxFuture;
use tokio::sync::{
    mpsc::{UnboundedSender, unbounded_channel},
    watch,
};

use crate::app;

/// An app on str0m that waits for a call.
pub struct Str0m {
    /// `None` once it is being stopped.
    wishes: Option<UnboundedSender<Wish>>,
    /// Whether it has no call. The sender goes with the app's task.
    idle: watch::Receiver<bool>,
}

/// What its user wants.
pub(crate) enum Wish {
    Accept,
    HangUp,
}

impl Str0m {
    /// Starts it.
    pub fn start(place: &Place) -> Self {
        let (wishes, wished) = unbounded_channel();
        let (is_idle, idle) = watch::channel(true);
        let (app, reporter) = (app::run(place.clone(), wished, is_idle), place.reporter().clone());
        let task = place.spawn(async move {
            if let Err(error) = app.await {
                reporter.problem(error.to_string());
            }
        });
        task.detach();
        Self { wishes: Some(wishes), idle }
    }
}

impl Program for Str0m {
    fn act(&mut self, command: &Command) -> Result<(), Unsupported> {
        let wish = match command {
            Command::Accept => Wish::Accept,
            Command::HangUp => Wish::HangUp,
            other => return Err(Unsupported::by("the str0m app", other)),
        };
        if let Some(wishes) = &self.wishes {
            // An app that failed has reported why.
            let _ = wishes.send(wish);
        }
        Ok(())
    }

    fn finished(&mut self) -> BoxFuture<'static, ()> {
        let mut idle = self.idle.clone();
        Box::pin(async move {
            // An app that is gone has no call.
            let _ = idle.wait_for(|idle| *idle).await;
        })
    }

    fn stop(&mut self) -> BoxFuture<'_, ()> {
        self.wishes = None;
        Box::pin(async { while self.idle.changed().await.is_ok() {} })
    }
}

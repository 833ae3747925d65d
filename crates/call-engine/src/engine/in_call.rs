//! What a person does during a call: hold, another camera, the screen, messages; and its statistics.

use std::sync::Arc;

use webrtc::data_channel::DataChannel;

use crate::{
    CallState, DataMessage, DataRefusal, Delivery, EngineEvent, FacingMode, Hold, MediaError, MediaKind,
    MediaStream, MediaStreamConstraints, VideoConstraints, peer::ForeignChannel,
};

use super::{
    actor::Actor,
    call::{MediaRequest, Purpose, TimerKind},
};

impl Actor {
    /// Puts the call on hold, or resumes it, by changing directions.
    pub(super) async fn set_hold(&mut self, hold: Hold) {
        let Some(call) = &mut self.call else { return self.not_in_a_call("hold or resume") };
        let Some(peer) = &mut call.peer else { return self.not_in_a_call("hold or resume") };
        if std::mem::replace(&mut call.hold, hold) == hold {
            return;
        }
        if let Err(error) = peer.set_hold(hold).await {
            return self.problem(format!("cannot change directions: {error}"));
        }
        self.observer.on_event(EngineEvent::HoldChanged { hold });
        self.on_negotiation_needed().await;
    }

    /// Asks for the camera that faces `facing_mode`; it takes the place of the present one.
    pub(super) fn switch_camera(&mut self, facing_mode: FacingMode) {
        let Some(video) = self.settings.media.video else {
            return self.problem("there is no camera to switch".to_owned());
        };
        let constraints =
            MediaStreamConstraints { audio: false, video: Some(VideoConstraints { facing_mode, ..video }) };
        let request = self.devices.user_media(constraints);
        self.request(Purpose::Camera, request);
    }

    /// `replaceTrack`: nothing is renegotiated. A camera that is refused changes nothing.
    pub(super) fn on_camera(&mut self, result: Result<MediaStream, MediaError>) {
        let found = match result {
            Ok(stream) => stream,
            Err(error) => return self.problem(format!("the camera stays: {error}")),
        };
        let own = self.call.as_mut().and_then(|call| Some((call.stream.as_mut()?, call.peer.as_ref()?)));
        let new = found.tracks().iter().find(|track| track.kind() == MediaKind::Video);
        let (Some((stream, peer)), Some(new)) = (own, new) else { return found.stop() };
        let Some(old) = stream.replace(new.clone()) else { return found.stop() };
        new.set_enabled(old.enabled());
        peer.replace_track(stream.id(), new);
        old.stop();
        self.observer.on_event(EngineEvent::CameraSwitched { label: new.label().to_owned() });
    }

    /// Asks for the screen.
    pub(super) fn share_screen(&mut self) {
        if self.call.as_ref().is_some_and(|call| call.screen.is_some()) {
            return self.problem("the screen is shared already".to_owned());
        }
        let request = self.devices.display_media();
        self.request(Purpose::Screen, request);
    }

    pub(super) async fn on_screen(&mut self, result: Result<MediaStream, MediaError>) {
        let screen = match result {
            Ok(stream) => stream,
            Err(error) => return self.problem(format!("the screen is not shared: {error}")),
        };
        let Some(call) = &mut self.call else { return screen.stop() };
        let Some(peer) = &mut call.peer else { return screen.stop() };
        if let Err(error) = peer.add_tracks(&screen).await {
            screen.stop();
            return self.problem(format!("the screen is not shared: {error}"));
        }
        call.screen = Some(screen);
        self.observer.on_event(EngineEvent::ScreenShared { shared: true });
        self.on_negotiation_needed().await;
    }

    pub(super) async fn stop_screen(&mut self) {
        let Some(call) = &mut self.call else { return self.not_in_a_call("stop sharing the screen") };
        let Some(screen) = call.screen.take() else {
            return self.problem("the screen is not shared".to_owned());
        };
        screen.stop();
        let Some(peer) = &mut call.peer else { return };
        if let Err(error) = peer.remove_tracks(screen.id()).await {
            return self.problem(format!("cannot remove the screen: {error}"));
        }
        self.observer.on_event(EngineEvent::ScreenShared { shared: false });
        self.on_negotiation_needed().await;
    }

    /// Hands a message to its channel's queue.
    pub(super) async fn send_data(&mut self, delivery: Delivery, message: DataMessage) {
        let Some(call) = &mut self.call else { return self.not_in_a_call("send a message") };
        let (Some(outbox), Some(peer)) = (call.outbox.clone(), &mut call.peer) else {
            return self.not_in_a_call("send a message");
        };
        if !outbox.push(delivery, message) {
            return self
                .observer
                .on_event(EngineEvent::DataRefused { delivery, why: DataRefusal::QueueFull });
        }
        if std::mem::replace(&mut call.data_open, true) {
            return;
        }
        if let Err(error) = peer.open_data(&outbox).await {
            return self.problem(format!("cannot open the data channels: {error}"));
        }
        self.on_negotiation_needed().await;
    }

    /// The other side opened a data channel.
    pub(super) async fn on_data_channel(&mut self, channel: Arc<dyn DataChannel>) {
        let Some(call) = &mut self.call else { return };
        let refused = match (&call.outbox, &mut call.peer) {
            (Some(outbox), Some(peer)) => {
                let accepted = peer.accept_data(&channel, outbox).await;
                // Where the other side has none of ours, the first message opens them.
                call.data_open = peer.has_data();
                accepted
            }
            _ => Err(ForeignChannel { label: channel.label().await.unwrap_or_default() }),
        };
        if let Err(ForeignChannel { label }) = refused {
            if let Err(error) = channel.close().await {
                self.problem(format!("cannot close the data channel {label}: {error}"));
            }
            self.observer.on_event(EngineEvent::DataChannelRefused { label });
        }
    }

    /// Asks the other side for key frames.
    pub(super) async fn request_key_frames(&mut self) {
        let Some(peer) = self.peer() else { return self.not_in_a_call("ask for a key frame") };
        if let Err(error) = peer.request_key_frames().await {
            self.problem(format!("cannot ask for a key frame: {error}"));
        }
    }

    /// Starts the timer of the next sample, where samples are wanted.
    pub(super) fn start_statistics(&mut self) {
        if let Some(interval) = self.settings.statistics {
            self.start_timer(TimerKind::Statistics, interval);
        }
    }

    pub(super) async fn take_statistics(&mut self) {
        let Some(peer) = self.peer() else { return };
        let statistics = peer.statistics().await;
        self.observer.on_statistics(statistics);
        if self.call.as_ref().is_some_and(|call| matches!(call.state, CallState::Connected)) {
            self.start_statistics();
        }
    }

    fn request(&mut self, purpose: Purpose, request: MediaRequest) {
        match &mut self.call {
            Some(call) if call.peer.is_some() && call.media.is_none() => {
                call.media = Some((purpose, request));
            }
            Some(call) if call.media.is_some() => {
                self.problem("devices are being asked for already".to_owned())
            }
            _ => self.not_in_a_call("ask for devices"),
        }
    }

    fn not_in_a_call(&self, what: &str) {
        self.problem(format!("cannot {what}: there is no call that was accepted"));
    }
}

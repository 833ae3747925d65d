//! The flows: what happens in a call, and what must come of it on both sides.

use std::time::Duration;

use timeline::MediaKind;

use crate::{
    client::Caller,
    pair::Pair,
    side::{PATIENCE, Side, Trouble, pause},
    words::{Command, Report, State},
};

timeline::words! {
    /// A flow.
    pub(crate) enum Flow {
        /// Audio, video and data both ways.
        Happy = "happy",
        /// A voice call to which the caller adds pictures.
        VoiceThenVideo = "voice-then-video",
        /// Each side mutes its video, and unmutes it.
        Mute = "mute",
        /// The engine holds the call, and resumes it.
        HoldByEngine = "hold-by-engine",
        /// The client holds the call, and resumes it.
        HoldByClient = "hold-by-client",
        /// Each side shares its screen, and stops.
        Screen = "screen",
        /// The engine restarts ICE.
        RestartByEngine = "ice-restart-by-engine",
        /// The client restarts ICE.
        RestartByClient = "ice-restart-by-client",
        /// Both offer at once.
        Glare = "glare",
        /// The engine offers again.
        RenegotiationByEngine = "renegotiation-by-engine",
        /// The client offers again.
        RenegotiationByClient = "renegotiation-by-client",
        /// They offer again in turn, four times.
        RenegotiationLater = "renegotiation-later",
        /// The engine hangs up.
        HangUpByEngine = "hang-up-by-engine",
        /// The client hangs up.
        HangUpByClient = "hang-up-by-client",
        /// The callee declines.
        Reject = "reject",
        /// The callee is in another call.
        Busy = "busy",
        /// The caller gives up while it rings.
        Cancel = "cancel",
        /// Nobody answers.
        NoAnswer = "no-answer",
        /// The client is gone from one moment to the next.
        TabClosed = "tab-closed",
        /// No UDP for twelve seconds.
        UdpBlocked = "udp-blocked-12s",
        /// Both signal by REST.
        RestOnly = "rest-only",
        /// A browser without permission for a camera, which hides its addresses.
        Mdns = "mdns",
        /// All media through coturn.
        RelayOnly = "relay-only",
    }
}

/// What was measured, in words.
pub(crate) type Facts = Vec<String>;

impl Flow {
    /// Whether it makes no sense without audio or video of the client.
    pub(crate) const fn needs_media(self) -> bool {
        matches!(
            self,
            Self::VoiceThenVideo
                | Self::Mute
                | Self::HoldByEngine
                | Self::HoldByClient
                | Self::Screen
                | Self::Glare
                | Self::RenegotiationByClient
                | Self::RenegotiationLater
        )
    }

    /// Plays it.
    pub(crate) fn play(self, pair: &mut Pair<'_>) -> Result<Facts, Trouble> {
        match self {
            Self::Reject => reject(pair),
            Self::Cancel => cancel(pair),
            Self::NoAnswer => no_answer(pair),
            Self::Busy => busy(pair),
            _ => self.play_connected(pair),
        }
    }

    fn play_connected(self, pair: &mut Pair<'_>) -> Result<Facts, Trouble> {
        let mut facts = vec![format!("connected after {} ms", pair.connect()?.as_millis())];
        match self {
            Self::Happy | Self::RestOnly | Self::Mdns => {
                facts.push(pair.media_flows()?);
                pair.data_flows()?;
            }
            Self::VoiceThenVideo => voice_then_video(pair)?,
            Self::Mute => mute(pair, &mut facts)?,
            Self::HoldByEngine => hold(pair, Caller::Engine)?,
            Self::HoldByClient => hold(pair, Caller::Client)?,
            Self::Screen => {
                for who in [Caller::Engine, Caller::Client] {
                    add_screen(pair, who)?;
                    pair.offers_while(who, &Command::NoScreen)?;
                    facts.push(pair.media_flows()?);
                }
            }
            Self::RestartByEngine => restart(pair, Caller::Engine)?,
            Self::RestartByClient => restart(pair, Caller::Client)?,
            Self::Glare => glare(pair, &mut facts)?,
            Self::RenegotiationByEngine => add_screen(pair, Caller::Engine)?,
            Self::RenegotiationByClient => add_screen(pair, Caller::Client)?,
            Self::RenegotiationLater => {
                add_screen(pair, Caller::Engine)?;
                add_screen(pair, Caller::Client)?;
                pair.offers_while(Caller::Engine, &Command::NoScreen)?;
                pair.offers_while(Caller::Client, &Command::NoScreen)?;
                facts.push(pair.media_flows()?);
            }
            Self::HangUpByEngine => return pair.hang_up(Caller::Engine).map(|()| facts),
            Self::HangUpByClient => return pair.hang_up(Caller::Client).map(|()| facts),
            Self::TabClosed => return tab_closed(pair, facts),
            Self::UdpBlocked => udp_blocked(pair, &mut facts)?,
            Self::RelayOnly => {
                facts.push(pair.media_flows()?);
                facts.push(format!("{} datagrams went through coturn", pair.through_relay()));
            }
            Self::Reject | Self::Busy | Self::Cancel | Self::NoAnswer => {}
        }
        pair.hang_up(Caller::Engine)?;
        Ok(facts)
    }
}

fn voice_then_video(pair: &mut Pair<'_>) -> Result<(), Trouble> {
    let who = pair.caller;
    let mark = pair.mark(who.other());
    pair.offers_while(who, &Command::AddVideo)?;
    pair.side(who.other()).until(
        mark,
        PATIENCE,
        "the new track",
        |report| matches!(report, Report::Track { kind } if kind == "video"),
    )?;
    pair.video_reaches(who.other())
}

fn mute(pair: &mut Pair<'_>, facts: &mut Facts) -> Result<(), Trouble> {
    pair.engine.tell(&Command::Mute(MediaKind::Video));
    pause(Duration::from_millis(300));
    let (_, client) = pair.counted()?;
    if client.video_in > 0 || client.audio_in == 0 {
        return Err(Trouble::Wrong(format!("the engine's video is muted, and the client counts {client:?}")));
    }
    pair.engine.tell(&Command::Unmute(MediaKind::Video));
    pair.client.tell(&Command::Mute(MediaKind::Video));
    pause(Duration::from_millis(300));
    let (engine, _) = pair.counted()?;
    facts.push(format!("muted by the client, the engine gets {} packets of video in 1.5 s", engine.video_in));
    pair.client.tell(&Command::Unmute(MediaKind::Video));
    pause(Duration::from_millis(300));
    pair.media_flows().map(drop)
}

fn hold(pair: &mut Pair<'_>, who: Caller) -> Result<(), Trouble> {
    pair.offers_while(who, &Command::Hold)?;
    let (engine, client) = pair.counted()?;
    // Who holds takes nothing.
    let taken = match who {
        Caller::Engine => engine.audio_in + engine.video_in,
        Caller::Client => client.audio_in + client.video_in,
    };
    if taken > 0 {
        return Err(Trouble::Wrong(format!("{taken} packets come although the call is held")));
    }
    pair.offers_while(who, &Command::Resume)?;
    pair.media_flows().map(drop)
}

fn add_screen(pair: &mut Pair<'_>, who: Caller) -> Result<(), Trouble> {
    let mark = pair.mark(who.other());
    pair.offers_while(who, &Command::Screen)?;
    pair.side(who.other()).until(
        mark,
        PATIENCE,
        "the track of the screen",
        |report| matches!(report, Report::Track { kind } if kind == "video"),
    )?;
    pair.media_flows().map(drop)
}

fn restart(pair: &mut Pair<'_>, who: Caller) -> Result<(), Trouble> {
    pair.offers_while(who, &Command::RestartIce)?;
    pause(Duration::from_secs(1));
    pair.media_flows().map(drop)
}

fn glare(pair: &mut Pair<'_>, facts: &mut Facts) -> Result<(), Trouble> {
    let marks = [pair.engine.mark(), pair.client.mark()];
    pair.engine.tell(&Command::Screen);
    pair.client.tell(&Command::Screen);
    let has_track = |report: &Report| matches!(report, Report::Track { kind } if kind == "video");
    pair.client.until(marks[1], PATIENCE, "the track of the engine's screen", has_track)?;
    pair.engine.until(marks[0], PATIENCE, "the track of the client's screen", has_track)?;
    let offered = |side: &Side, mark| side.said(mark, |report| matches!(report, Report::Offered { .. }));
    if let (Some(one), Some(other)) = (offered(&pair.engine, marks[0]), offered(&pair.client, marks[1])) {
        let apart = one.max(other) - one.min(other);
        facts.push(format!("the offers were made {:.1} ms apart", apart.as_secs_f64() * 1000.0));
    }
    pair.media_flows().map(drop)
}

fn reject(pair: &mut Pair<'_>) -> Result<Facts, Trouble> {
    pair.ring()?;
    let callee = pair.caller.other();
    pair.side_mut(callee).tell(&Command::Reject);
    pair.both_end(&["declined"])
}

fn cancel(pair: &mut Pair<'_>) -> Result<Facts, Trouble> {
    pair.ring()?;
    let caller = pair.caller;
    pair.side_mut(caller).tell(&Command::HangUp);
    pair.both_end(&["cancelled"])
}

/// The caller's patience is set to 2.5 s, the callee's is longer.
fn no_answer(pair: &mut Pair<'_>) -> Result<Facts, Trouble> {
    pair.ring()?;
    pair.both_end(&["no-answer"])
}

fn busy(pair: &mut Pair<'_>) -> Result<Facts, Trouble> {
    let connected = pair.connect()?;
    let third = pair.third()?;
    third.until_ended(PATIENCE, &["busy"])?;
    pair.media_flows()?;
    pair.hang_up(Caller::Engine)?;
    Ok(vec![format!("connected after {} ms", connected.as_millis())])
}

fn tab_closed(pair: &mut Pair<'_>, mut facts: Facts) -> Result<Facts, Trouble> {
    pair.client.tell(&Command::CloseTab);
    let closed = crate::side::now();
    let ended = pair.engine.until_ended(Duration::from_secs(80), &["connection-lost"])?;
    let after = ended - closed;
    facts.push(format!("the engine ended the call {:.1} s after", after.as_secs_f64()));
    if after > Duration::from_secs(40) {
        return Err(Trouble::Wrong(format!("the engine ended only after {} s", after.as_secs())));
    }
    Ok(facts)
}

/// Both sides use TURN alone, and reach it through a forwarder that drops everything for twelve seconds.
fn udp_blocked(pair: &mut Pair<'_>, facts: &mut Facts) -> Result<(), Trouble> {
    pair.media_flows()?;
    let mark = pair.engine.mark();
    pair.block(true);
    pause(Duration::from_secs(12));
    pair.block(false);
    let lifted = crate::side::now();
    if pair
        .engine
        .said(mark, |report| matches!(report, Report::State { state: State::Reconnecting, .. }))
        .is_some()
    {
        let back = pair.engine.until_state(mark, State::Connected)?;
        let after = back.saturating_duration_since(lifted);
        facts.push(format!("connected again {:.1} s after the block was lifted", after.as_secs_f64()));
    }
    pair.media_flows().map(drop)
}

impl Caller {
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Engine => Self::Client,
            Self::Client => Self::Engine,
        }
    }
}

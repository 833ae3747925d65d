//! The engine and a client, with what both need: a signalling server, and for some flows a TURN server.

use std::time::Duration;

use crate::{
    client::{Caller, Client},
    flow::{Facts, Flow},
    side::{PATIENCE, Side, Trouble, now, pause},
    stage::{Stage, Turn},
    words::{Command, Counts, IceServer, Media, Options, Policy, Report, State, Way},
};

/// How long packets are counted.
const WINDOW: Duration = Duration::from_millis(1_500);

/// How long a change may take until media flows as it should.
const SETTLE: Duration = Duration::from_secs(10);

pub(crate) struct Pair<'a> {
    pub(crate) engine: Side,
    pub(crate) client: Side,
    pub(crate) caller: Caller,
    which: Client,
    call: String,
    stage: &'a Stage,
    options: Options,
    turn: Option<Turn>,
    /// A third one who dials.
    third: Option<Side>,
}

impl<'a> Pair<'a> {
    /// Starts both sides of `flow`, and waits until they can be reached.
    pub(crate) fn start(
        stage: &'a Stage,
        which: Client,
        flow: Flow,
        caller: Caller,
    ) -> Result<Self, Trouble> {
        let turn = match flow {
            Flow::RelayOnly | Flow::UdpBlocked => Some(stage.turn()?),
            _ => None,
        };
        let call = format!("{flow}-{which}-{}", if caller == Caller::Engine { "engine" } else { "client" });
        let video = flow != Flow::VoiceThenVideo;
        let options = Options {
            server: stage.server().to_owned(),
            name: String::new(),
            way: if flow == Flow::RestOnly { Way::Rest } else { Way::Websocket },
            media: Media { audio: true, video },
            ice_servers: turn.iter().map(Turn::ice_server).collect(),
            ice_transport_policy: if turn.is_some() { Policy::Relay } else { Policy::All },
            ring_ms: 30_000,
            client: which.to_string(),
            packages: stage.root().join("interop").display().to_string(),
            chromium: crate::client::CHROMIUM.to_owned(),
            mdns: flow == Flow::Mdns,
        };
        let rings = |whose: Caller| if flow == Flow::NoAnswer && whose == caller { 2_500 } else { 30_000 };
        let name = |who: &str| format!("{who}-{call}");
        let of_engine = Options { name: name("e"), ring_ms: rings(Caller::Engine), ..options.clone() };
        let of_client = Options { name: name("c"), ring_ms: rings(Caller::Client), ..options.clone() };
        let engine = stage.side("the engine", stage.engine(), &of_engine)?;
        let client = stage.side("the client", which.program(stage.root()), &of_client)?;
        for side in [&engine, &client] {
            side.until(0, PATIENCE, "its connection to the signaller", |report| *report == Report::Ready)?;
        }
        Ok(Self { engine, client, caller, which, call, stage, options, turn, third: None })
    }

    pub(crate) const fn side(&self, who: Caller) -> &Side {
        match who {
            Caller::Engine => &self.engine,
            Caller::Client => &self.client,
        }
    }

    pub(crate) const fn side_mut(&mut self, who: Caller) -> &mut Side {
        match who {
            Caller::Engine => &mut self.engine,
            Caller::Client => &mut self.client,
        }
    }

    pub(crate) fn mark(&self, who: Caller) -> usize {
        self.side(who).mark()
    }

    /// The caller dials, and the callee rings.
    pub(crate) fn ring(&mut self) -> Result<(), Trouble> {
        let to = self.side(self.caller.other()).name.clone();
        let (caller, call) = (self.caller, self.call.clone());
        self.side_mut(caller).tell(&Command::Dial { to, call });
        self.side(caller.other())
            .until(0, PATIENCE, "the ring", |report| matches!(report, Report::Incoming { .. }))?;
        Ok(())
    }

    /// The caller dials, the callee accepts, and both are connected; how long that took from the dial.
    pub(crate) fn connect(&mut self) -> Result<Duration, Trouble> {
        let dialled = now();
        self.ring()?;
        let callee = self.caller.other();
        self.side_mut(callee).tell(&Command::Accept);
        let engine = self.engine.until_state(0, State::Connected)?;
        let client = self.client.until_state(0, State::Connected)?;
        Ok(engine.max(client) - dialled)
    }

    /// What both sides count in [`WINDOW`].
    pub(crate) fn counted(&mut self) -> Result<(Counts, Counts), Trouble> {
        let before = (self.engine.counts()?, self.client.counts()?);
        pause(WINDOW);
        let after = (self.engine.counts()?, self.client.counts()?);
        Ok((after.0.since(before.0), after.1.since(before.1)))
    }

    /// Waits until all media flows that should, both ways; what both sides counted.
    pub(crate) fn media_flows(&mut self) -> Result<String, Trouble> {
        let deadline = now() + SETTLE;
        loop {
            let (engine, client) = self.counted()?;
            if self.is_complete(engine, client) {
                return Ok(in_words(engine, client));
            }
            if now() > deadline {
                let counts = in_words(engine, client);
                return Err(Trouble::Wrong(format!("not all media flows: {counts}{}", self.problems())));
            }
        }
    }

    fn is_complete(&self, engine: Counts, client: Counts) -> bool {
        if !self.which.has_media() {
            return true;
        }
        let video = self.options.media.video;
        let from_engine = client.audio_in > 0
            && (!video || client.video_in > 0)
            && (!video || !self.which.decodes() || client.decoded > 0);
        let from_client = engine.audio_in > 0 && (!video || engine.video_in > 0);
        from_engine && (from_client || self.options.mdns)
    }

    /// Waits until video comes to `who`.
    pub(crate) fn video_reaches(&mut self, who: Caller) -> Result<(), Trouble> {
        let deadline = now() + SETTLE;
        loop {
            let (engine, client) = self.counted()?;
            let came = if who == Caller::Engine { engine.video_in } else { client.video_in };
            if came > 0 {
                return Ok(());
            }
            if now() > deadline {
                let counts = in_words(engine, client);
                return Err(Trouble::Wrong(format!("no video comes: {counts}{}", self.problems())));
            }
        }
    }

    /// A message each way.
    pub(crate) fn data_flows(&mut self) -> Result<(), Trouble> {
        for (from, text) in
            [(Caller::Engine, "hello from the engine"), (Caller::Client, "hello from the client")]
        {
            let mark = self.mark(from.other());
            self.side_mut(from).tell(&Command::Data(text.to_owned()));
            self.side(from.other()).until(
                mark,
                PATIENCE,
                "the message on the data channel",
                |report| matches!(report, Report::Data { text: came, .. } if came == text),
            )?;
        }
        Ok(())
    }

    /// Tells `who` something that it has to negotiate, and waits until it has offered.
    pub(crate) fn offers_while(&mut self, who: Caller, command: &Command) -> Result<(), Trouble> {
        let mark = self.mark(who);
        self.side_mut(who).tell(command);
        self.side(who).until(mark, PATIENCE, &format!("the offer after `{command}`"), |report| {
            matches!(report, Report::Offered { .. })
        })?;
        pause(Duration::from_millis(500));
        Ok(())
    }

    /// `who` hangs up, and both sides end for it.
    pub(crate) fn hang_up(&mut self, who: Caller) -> Result<(), Trouble> {
        self.side_mut(who).tell(&Command::HangUp);
        self.both_end(&["hung-up"]).map(drop)
    }

    pub(crate) fn both_end(&self, reasons: &[&str]) -> Result<Facts, Trouble> {
        self.engine.until_ended(PATIENCE, reasons)?;
        self.client.until_ended(PATIENCE, reasons)?;
        Ok(Vec::new())
    }

    /// One more of the caller's kind dials the callee.
    pub(crate) fn third(&mut self) -> Result<&Side, Trouble> {
        let callee = self.side(self.caller.other()).name.clone();
        let program = match self.caller {
            Caller::Engine => self.stage.engine(),
            Caller::Client => self.which.program(self.stage.root()),
        };
        let options = Options { name: format!("third-{}", self.call), ..self.options.clone() };
        let mut third = self.stage.side("the third", program, &options)?;
        third.until(0, PATIENCE, "its connection to the signaller", |report| *report == Report::Ready)?;
        third.tell(&Command::Dial { to: callee, call: format!("third-{}", self.call) });
        Ok(self.third.insert(third))
    }

    /// Lets nothing pass to the TURN server and back, or everything.
    pub(crate) fn block(&self, is_blocked: bool) {
        if let Some(turn) = &self.turn {
            turn.block(is_blocked);
        }
    }

    /// How many datagrams went to the TURN server and back.
    pub(crate) fn through_relay(&self) -> u64 {
        self.turn.as_ref().map_or(0, Turn::passed)
    }

    fn problems(&self) -> String {
        let problems: Vec<String> =
            self.engine.problems().into_iter().chain(self.client.problems()).collect();
        if problems.is_empty() { String::new() } else { format!("; reported: {}", problems.join("; ")) }
    }
}

fn in_words(engine: Counts, client: Counts) -> String {
    let side = |counts: Counts| format!("{} audio, {} video", counts.audio_in, counts.video_in);
    format!(
        "in 1.5 s the engine gets {}, the client {} ({} decoded)",
        side(engine),
        side(client),
        client.decoded
    )
}

impl Turn {
    fn ice_server(&self) -> IceServer {
        IceServer {
            urls: format!("turn:{}?transport=udp", self.address()),
            username: Turn::USER.to_owned(),
            credential: Turn::PASSWORD.to_owned(),
        }
    }
}

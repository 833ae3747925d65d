timeline::words! {
    /// What a cause or a finding is about. The words are stable: scripts may rely on them.
    ///
    /// The order is that in which findings of one moment are listed.
    pub enum Code {
        /// A candidate was applied, or thrown away, before there was a remote description.
        CandidateBeforeRemoteDescription = "candidate-before-remote-description",
        /// `addIceCandidate` refused a candidate for another reason.
        CandidateRejected = "candidate-rejected",
        /// Candidates were gathered and did not reach the other side.
        CandidatesNeverRelayed = "candidates-never-relayed",
        /// Candidates arrived, and the application did not pass them to `addIceCandidate`.
        CandidatesNeverApplied = "candidates-never-applied",
        /// Candidates were gathered, and sent much later.
        CandidatesLate = "candidates-late",
        /// Candidates of an earlier ICE generation were applied to a later one (RFC 8838 §14).
        CandidatesStale = "candidates-stale",
        /// Candidates came before their description, and the application held them back, as it should.
        EarlyCandidatesHeld = "early-candidates-held",

        /// Both sides made an offer at once.
        Glare = "glare",
        /// Glare, and one side rolled back.
        GlareRolledBack = "glare-rolled-back",
        /// Glare, and neither offer was brought to an end.
        GlareUnresolved = "glare-unresolved",
        /// An application rolled a description back (W3C webrtc-pc §4.4.1.5).
        Rollback = "rollback",

        /// A description was set in a state that does not allow it (RFC 8829 §5.5, §5.6).
        DescriptionInWrongState = "description-in-wrong-state",
        /// A description was refused for what it says.
        DescriptionRefused = "description-refused",
        /// The stack that callsim plays with refused a description which the captured browser took.
        OwnStackRefused = "own-stack-refused",
        /// Offer and answer give both sides the same DTLS role, so that nobody begins or both do (RFC 8842 §5).
        DtlsRolesClash = "dtls-roles-clash",
        /// Both sides are ICE lite, so that nobody checks a pair (RFC 8445 §6.1.1).
        IceLiteBothSides = "ice-lite-both-sides",
        /// A description lacks `a=rtcp-mux`, which browsers demand (RFC 8834 §4.5).
        RtcpMuxMissing = "rtcp-mux-missing",
        /// The `a=mid` values of offer and answer do not fit together (RFC 8843 §7.3).
        MidMismatch = "mid-mismatch",
        /// The BUNDLE groups of offer and answer do not fit together (RFC 8843 §7.3).
        BundleMismatch = "bundle-mismatch",
        /// The sides share no codec for a kind of media.
        NoCommonCodec = "no-common-codec",
        /// The answer refuses a kind of media (port 0, RFC 3264 §6).
        MediaRefused = "media-refused",
        /// A kind of media was agreed upon and set `inactive`.
        MediaInactive = "media-inactive",

        /// An offer was sent and did not reach its addressee.
        OfferNotDelivered = "offer-not-delivered",
        /// An answer was sent and did not reach its addressee.
        AnswerNotDelivered = "answer-not-delivered",
        /// Another signalling message was sent and did not reach its addressee.
        MessageNotDelivered = "message-not-delivered",
        /// A message arrived, and the application did nothing with it.
        MessageNotApplied = "message-not-applied",
        /// A capture holds messages that were not understood.
        MessagesNotUnderstood = "messages-not-understood",
        /// A server refused a message.
        MessageRefused = "message-refused",
        /// A participant could not reach the signalling server, or not for a time.
        SignallingUnreachable = "signalling-unreachable",
        /// The signalling server did not let a participant in.
        SignallingUnauthorized = "signalling-unauthorized",
        /// A participant's connection to the signalling server ended before the call was set up.
        PeerLeftTheServer = "peer-left-the-server",
        /// A line of a log and the message in it name different people.
        NamesContradict = "names-contradict",

        /// An offer got no answer.
        OfferUnanswered = "offer-unanswered",
        /// The callee did not take the call.
        CallRejected = "call-rejected",
        /// The callee has another call.
        CalleeBusy = "callee-busy",
        /// It rang, and nobody took the call.
        NotAnswered = "not-answered",
        /// A user left the call before it was connected.
        HungUpEarly = "hung-up-early",
        /// One offer came twice.
        DuplicateOffer = "duplicate-offer",
        /// An answer came when its offer was no longer open.
        StaleAnswer = "stale-answer",

        /// New ICE credentials in a running call (RFC 8839 §4.4.1.1.1).
        IceRestart = "ice-restart",
        /// Another negotiation in a running call.
        Renegotiation = "renegotiation",
        /// Offers were made that change nothing.
        NeedlessOffers = "needless-offers",
        /// A peer began to send something more.
        TrackAdded = "track-added",
        /// A peer ceased to send something.
        TrackRemoved = "track-removed",

        /// A peer found no candidate at all.
        NoCandidates = "no-candidates",
        /// A peer had host candidates only.
        OnlyHostCandidates = "only-host-candidates",
        /// A peer had host candidates behind mDNS names only.
        MdnsOnly = "mdns-only",
        /// A peer had relay candidates only.
        RelayOnly = "relay-only",
        /// A TURN server gives out a relayed address that nobody outside of its network reaches.
        RelayAddressPrivate = "relay-address-private",
        /// The TURN server refused the credentials.
        TurnUnauthorized = "turn-unauthorized",
        /// The TURN server has no relayed address left, or none for this user (RFC 8656 §7.2, errors 486 and 508).
        TurnExhausted = "turn-exhausted",
        /// A STUN or TURN server did not answer.
        IceServerUnreachable = "ice-server-unreachable",
        /// A STUN or TURN server could not be used for another reason.
        IceServerError = "ice-server-error",
        /// Gathering did not come to its end.
        GatheringNeverCompleted = "gathering-never-completed",

        /// By the NATs and firewalls between the two, no candidate pair can work.
        NoWorkingPair = "no-working-pair",
        /// A firewall blocks UDP.
        UdpBlocked = "udp-blocked",
        /// Both descriptions were set, and ICE found no pair that works.
        IceNeverConnected = "ice-never-connected",

        /// A flight of the DTLS handshake was lost and not sent again.
        DtlsFlightLost = "dtls-flight-lost",
        /// A certificate is not the one whose fingerprint was signalled (RFC 8122 §5).
        DtlsFingerprintMismatch = "dtls-fingerprint-mismatch",
        /// ICE connected, and DTLS did not.
        DtlsNeverConnected = "dtls-never-connected",

        /// The other side was gone without the survivor being told, or without it acting upon that.
        RemoteVanished = "remote-vanished",
        /// The connection was interrupted for a while.
        ConnectionLostAndRecovered = "connection-lost-and-recovered",
        /// The connection was lost for good.
        ConnectionLost = "connection-lost",

        /// A network link was down.
        LinkDown = "link-down",
        /// A network lost so many packets that the call could not do without them.
        PacketLoss = "packet-loss",
        /// Packets were longer than a link of their way takes.
        PacketTooBig = "packet-too-big",
        /// A link was too slow for what was sent over it.
        LinkCongested = "link-congested",
        /// A peer moved to another network, and the call did not follow.
        NetworkChanged = "network-changed",
        /// A NAT forgot its mapping, or has no port left for one (RFC 4787 §4.3).
        NatMappingLost = "nat-mapping-lost",
        /// A TURN allocation ended in mid-call.
        RelayLost = "relay-lost",

        /// Media was sent and did not arrive.
        MediaNotReceived = "media-not-received",
        /// Media arrives at one of the two only.
        MediaOneWay = "media-one-way",
        /// Media arrived, and ceased to.
        MediaStopped = "media-stopped",
        /// A peer sent no media.
        MediaNeverSent = "media-never-sent",
        /// Media flowed although it should not have.
        MediaUnexpected = "media-unexpected",
        /// Messages of a data channel were lost, refused, or could not be sent.
        DataNotDelivered = "data-not-delivered",
        /// A camera was switched on or off.
        VideoToggled = "video-toggled",
        /// Microphone or camera could not be had.
        MediaDenied = "media-denied",

        /// The longest wait on the way to `connected`.
        SlowStep = "slow-step",
        /// A page was loaded anew, and the call was set up again.
        PageReloaded = "page-reloaded",
        /// The times of a capture are whole seconds.
        ClockWholeSeconds = "clock-whole-seconds",
        /// The clocks of two files differ.
        ClockSkew = "clock-skew",
        /// A part of the capture is missing.
        PartialCapture = "partial-capture",
        /// A server's own words say that something failed.
        ServerReportedFailure = "server-reported-failure",

        /// The call came out otherwise than the scenario expects.
        Outcome = "outcome",
        /// The call went by other candidates than the scenario expects.
        Path = "path",
        /// A call ended for another reason than the scenario expects.
        EndReason = "end-reason",
        /// A call is in another state at the end than the scenario expects.
        FinalState = "final-state",
        /// A peer was connected, or was not, other than the scenario expects.
        Connected = "connected",
        /// A milestone was not reached, or not in the time that the scenario expects.
        Milestone = "milestone",
        /// Media did not flow both ways.
        MediaBothWays = "media-both-ways",
        /// Media flowed where the scenario expects none.
        MediaNone = "media-none",
        /// Media flowed otherwise than in the directions that the scenario expects.
        MediaOnly = "media-only",
        /// Messages of data channels arrived otherwise than the scenario expects.
        Data = "data",
        /// The statistics are not as the scenario expects.
        Statistics = "statistics",
        /// There were more or fewer offers than the scenario expects.
        Offers = "offers",
        /// There were more or fewer recoveries than the scenario expects.
        Recoveries = "recoveries",
        /// A recovery took longer or shorter than the scenario expects.
        RecoveryTime = "recovery-time",
        /// More or fewer candidates were held back than the scenario expects.
        HeldCandidates = "held-candidates",
        /// There were more or fewer ends of candidates than the scenario expects.
        CandidateEnds = "candidate-ends",
        /// A peer reached the signalling server in other ways than the scenario expects.
        Ways = "ways",
        /// A peer reconnected to the signalling server more or less often than the scenario expects.
        Reconnects = "reconnects",
        /// A state was entered that must never be.
        Never = "never",
        /// A state machine passed other states than the scenario expects.
        Sequence = "sequence",
        /// A program did not know a step of the script.
        StepsUnderstood = "steps-understood",
        /// A candidate was neither applied nor accounted for.
        NoCandidateLost = "no-candidate-lost",
        /// Tasks, timers, sockets or tracks were left after the call.
        NothingLeaked = "nothing-leaked",
        /// The run did not end by itself.
        EndedByItself = "ended-by-itself",
        /// A signalling message was lost, taken twice, or taken out of order.
        SignallingExactlyOnce = "signalling-exactly-once",

        /// Over all seeds, an outcome was more or less frequent than the scenario expects.
        Rate = "rate",
        /// A scenario took more time than its budget.
        Budget = "budget",
        /// What a scenario yields over its seeds differs from its pin.
        Pin = "pin",
        /// The player panicked.
        Panicked = "panicked",
        /// The run was played twice, and the two differ.
        NotRepeatable = "not-repeatable",
        /// The run could not be played.
        NotPlayed = "not-played",
    }
}

use timeline::words;

words! {
    /// In what a replay may differ from its capture: each is something that browsers do differently from run to
    /// run, or from each other, without a user noticing.
    pub enum Freedom {
        /// The machines of one connection move in another order among each other: ICE may check, and connect,
        /// before the answer is applied; `connecting` and `checking` come in either order.
        OrderBetweenMachines = "order-between-machines",
        /// `completed` is `connected`: browsers may report either, or both, or go to and fro between them.
        IceCompleted = "ice-completed",
        /// Gathering is cut short when ICE connects, or when the connection is closed as soon as it is made: its last
        /// states may be missing.
        GatheringCutShort = "gathering-cut-short",
        /// A rollback, or an ICE restart, sets gathering back to `new` or to `gathering` in one and not in the other:
        /// whether candidates that were gathered serve again is the stack's affair.
        GatheringAnew = "gathering-anew",
        /// Where nobody has a candidate, ICE and connection of a browser stay `new` for ever; our stack tries, and
        /// does not connect.
        NothingToCheck = "nothing-to-check",
        /// An ICE restart in mid-call shows as `checking` or `connecting`, and `connected` again, in our stack; browsers
        /// stay `connected`.
        RestartChecksAgain = "restart-checks-again",
        /// Where the connection failed in both, ICE may stay `disconnected`, or `checking`, in one and be `failed` in the
        /// other.
        IceFailedBesideConnection = "ice-failed-beside-connection",
        /// Closing shows in one and not in the other: a browser reports no state after `close()`.
        ClosingIsSilent = "closing-is-silent",
        /// A lost connection is noticed after another time: Chromium says `disconnected` after 6 s and `failed`
        /// 10 s later, our stack after 5 s and 25 s. The states are the same.
        LossTimers = "loss-timers",
        /// A machine of which the capture shows no state at all, though ICE moved: older browsers have none for
        /// the connection.
        MachineNotCaptured = "machine-not-captured",
        /// The users wait with hanging up until our stack, which takes longer over relays, has connected.
        HangUpWaits = "hang-up-waits",
        /// The replay goes on after the capture ends, or where a part of it is missing.
        CaptureEnded = "capture-ended",
    }
}

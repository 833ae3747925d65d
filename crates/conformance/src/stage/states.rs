//! The states that somebody went through, machine by machine.

use timeline::{CallState, ConnectionState, GatheringState, IceState, Machine, SignalingState, State};

use super::{Shown, expect};

/// The states of one machine.
pub(crate) trait OneOf: Copy + ToString {
    /// Which one.
    const MACHINE: Machine;

    /// `state`, if it is one of this machine.
    fn of(state: State) -> Option<Self>;

    /// As a state of any machine.
    fn state(self) -> State;
}

macro_rules! one_of {
    ($($machine:ident: $states:ident),* $(,)?) => {$(
        impl OneOf for $states {
            const MACHINE: Machine = Machine::$machine;

            fn of(state: State) -> Option<Self> {
                if let State::$machine(state) = state { Some(state) } else { None }
            }

            fn state(self) -> State {
                State::$machine(self)
            }
        }
    )*};
}

one_of! {
    Call: CallState,
    Signaling: SignalingState,
    Gathering: GatheringState,
    Ice: IceState,
    Connection: ConnectionState,
}

/// Somebody whose states were written down.
pub(crate) trait History {
    /// All states that were entered, in order; those in the beginning left out.
    fn entered(&self) -> Vec<State>;

    /// The states that a machine went through, the first one left out.
    fn states<T: OneOf>(&self) -> Vec<T> {
        self.entered().into_iter().filter_map(T::of).collect()
    }

    /// Whether a machine is in `state`, by its events.
    fn is(&self, state: impl OneOf) -> bool {
        self.current(state) == state.state()
    }

    /// A machine is in `state`.
    fn expect_state(&self, what: &str, state: impl OneOf) -> Shown {
        expect(what, self.current(state).to_string(), state.to_string())
    }

    /// A machine went through these states, and no others.
    fn expect_states<T: OneOf>(&self, wanted: &[T]) -> Shown {
        let machine = match T::MACHINE {
            Machine::Ice => "ICE connection",
            machine => machine.as_str(),
        };
        expect_moves(&format!("{machine} states"), &self.states::<T>(), wanted)
    }

    /// Where the machine of `state` is.
    fn current<T: OneOf>(&self, _: T) -> State {
        self.states::<T>().pop().map_or(T::MACHINE.initial(), T::state)
    }
}

/// `found` are the states that are `wanted`.
pub(crate) fn expect_moves<T: OneOf>(what: &str, found: &[T], wanted: &[T]) -> Shown {
    let words = |states: &[T]| states.iter().map(ToString::to_string).collect::<Vec<_>>();
    expect(what, words(found), words(wanted))
}

//! Which benches are asked for.

use crate::output::UnknownName;

/// The groups of benches, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Groups(Vec<&'static str>);

/// All of them: what stands before the slash in the id of a workload, and two that are no workloads.
const ALL: [&str; 12] = [
    NEGOTIATION,
    "call",
    "floor",
    "media",
    "idle",
    "calls-in-one-world",
    WORLDS,
    "wire",
    "digest",
    "sdp",
    "candidate",
    "capture",
];

/// Set-ups in virtual time.
pub(super) const NEGOTIATION: &str = "negotiation";
/// Complete calls a second.
pub(super) const WORLDS: &str = "worlds";

/// Several under one name.
const PARTS: (&str, [&str; 5]) = ("parts", ["wire", "digest", "sdp", "candidate", "capture"]);

impl Groups {
    /// Those with these names; all where there are none.
    pub(super) fn of(names: &[String]) -> Result<Self, UnknownName> {
        if names.is_empty() {
            return Ok(Self(ALL.to_vec()));
        }
        let mut asked: Vec<&str> = Vec::new();
        for name in names {
            match ALL.iter().find(|known| *known == name) {
                Some(known) => asked.push(known),
                None if name == PARTS.0 => asked.extend(PARTS.1),
                None => return Err(unknown(name)),
            }
        }
        Ok(Self(ALL.into_iter().filter(|group| asked.contains(group)).collect()))
    }

    /// Whether this one is among them.
    pub(super) fn has(&self, group: &str) -> bool {
        self.0.contains(&group)
    }

    /// Whether the workload `id` belongs to one of them.
    pub(super) fn has_workload(&self, id: &str) -> bool {
        id.split_once('/').is_some_and(|(group, _)| self.has(group))
    }

    /// What criterion is to run of the workloads: a regular expression.
    pub(super) fn filter(&self) -> String {
        format!("^({})/", self.0.join("|"))
    }
}

fn unknown(name: &str) -> UnknownName {
    let known = ALL.into_iter().chain([PARTS.0]);
    // Groups are run as a whole: naming a single bench is an error that names its group.
    match name.split_once('/').map_or(name, |(group, _)| group) {
        group if ALL.contains(&group) => UnknownName {
            nearest: Some(group.to_owned()),
            ..UnknownName::new("group of benches", name, known)
        },
        _ => UnknownName::new("group of benches", name, known),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(names: &[&str]) -> Result<Groups, UnknownName> {
        Groups::of(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn all_unless_some_are_named() {
        assert_eq!(of(&[]).unwrap().0, ALL);
        let some = of(&["idle", "call", "idle"]).unwrap();
        assert_eq!(some.filter(), "^(call|idle)/");
        assert!(some.has_workload("call/rest") && !some.has_workload("calls-in-one-world/1"));
    }

    #[test]
    fn parts_are_several() {
        assert_eq!(of(&["parts"]).unwrap().0, PARTS.1);
    }

    #[test]
    fn a_slip_is_answered_with_the_nearest() {
        let error = |name| of(&[name]).unwrap_err().to_string();
        assert!(
            error("negotiaton")
                .starts_with("there is no group of benches `negotiaton`; did you mean `negotiation`?")
        );
        let single = "no group of benches `call/websocket`; did you mean `call`?";
        assert!(error("call/websocket").contains(single), "{}", error("call/websocket"));
        assert!(error("quite something else").ends_with(
            "`\nthere are: negotiation, call, floor, media, idle, \
            calls-in-one-world, worlds, wire, digest, sdp, candidate, capture, parts"
        ));
    }
}

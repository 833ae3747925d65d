use std::borrow::Cow;

use serde::{Serialize, Serializer};
use timeline::{Name, VirtualTime};

use crate::{Code, Level};

/// Why a call went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// What it is.
    pub code: Code,
    /// How much it matters in this call.
    pub level: Level,
    /// Whom it is about; empty for the call as a whole.
    pub subjects: Vec<Name>,
    /// The moment at which it struck, in milliseconds in reports.
    #[serde(rename = "at_ms", serialize_with = "millis")]
    pub at: VirtualTime,
    /// What happened, in a sentence for a support engineer, without a full stop.
    pub sentence: String,
    /// What shows it, in order of time.
    pub evidence: Vec<Evidence>,
    /// What to do about it; empty where there is nothing to do.
    pub recommendation: Cow<'static, str>,
    /// What followed from it and needs no other explanation.
    pub consequences: Vec<Consequence>,
}

/// Something that was seen and shows a cause.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Evidence {
    /// When it was seen, in milliseconds in reports.
    #[serde(rename = "at_ms", serialize_with = "millis")]
    pub at: VirtualTime,
    /// To whom it happened, where that is one.
    pub who: Option<Name>,
    /// What it was.
    pub what: String,
}

/// Something that does not hold because of a cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Consequence {
    /// What it is.
    pub code: Code,
    /// What was expected and what was found.
    pub sentence: String,
}

impl Cause {
    /// A cause at its usual level, with the usual recommendation, without evidence yet.
    pub fn new(code: Code, at: VirtualTime, sentence: impl Into<String>) -> Self {
        Self {
            code,
            level: code.level(),
            subjects: Vec::new(),
            at,
            sentence: sentence.into(),
            evidence: Vec::new(),
            recommendation: Cow::Borrowed(code.recommendation()),
            consequences: Vec::new(),
        }
    }

    /// The same about these.
    pub fn about<'n>(mut self, subjects: impl IntoIterator<Item = &'n Name>) -> Self {
        self.subjects = subjects.into_iter().cloned().collect();
        self
    }

    /// The same with this evidence besides; it is kept in order of time.
    pub fn shown_by(mut self, evidence: impl IntoIterator<Item = Evidence>) -> Self {
        self.evidence.extend(evidence);
        self.evidence.sort_by_key(|evidence| evidence.at);
        self
    }
}

impl Evidence {
    /// What happened to somebody.
    pub fn of(at: VirtualTime, who: &Name, what: impl Into<String>) -> Self {
        Self { at, who: Some(who.clone()), what: what.into() }
    }

    /// What happened to nobody in particular.
    pub fn general(at: VirtualTime, what: impl Into<String>) -> Self {
        Self { at, who: None, what: what.into() }
    }
}

fn millis<S: Serializer>(at: &VirtualTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(at.as_millis_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_written_with_its_code_and_evidence_in_order_of_time() {
        let at = VirtualTime::from_millis;
        let caller = Name::new("caller");
        let cause = Cause::new(Code::AnswerNotDelivered, at(1200), "the answer was dropped")
            .about([&caller])
            .shown_by([Evidence::of(at(1200), &caller, "later"), Evidence::general(at(900), "earlier")]);
        let value = serde_json::to_value(&cause).unwrap();
        assert_eq!(value["code"], "answer-not-delivered");
        assert_eq!(value["level"], "error");
        assert_eq!(value["at_ms"], 1200.0);
        assert_eq!(value["evidence"][0]["at_ms"], 900.0);
        assert_eq!(value["evidence"][1]["who"], "caller");
    }
}

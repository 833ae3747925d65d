//! What the doctor finds, and for which tier that is a defect.

use std::fmt;

use gate::{
    instructions::Valgrind,
    metric::{MetricId, Tier},
    wall::{Assessment, State},
};

/// Of the time, so much may go to other machines.
const STOLEN_AT_MOST: f64 = 0.02;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    what: &'static str,
    found: String,
    /// The tier that cannot be judged so, or less surely.
    defect_of: Option<Tier>,
}

impl Finding {
    fn good(what: &'static str, found: impl Into<String>) -> Self {
        Self { what, found: found.into(), defect_of: None }
    }

    fn defect(what: &'static str, of: Tier, found: impl Into<String>) -> Self {
        Self { what, found: found.into(), defect_of: Some(of) }
    }

    pub(super) fn machine(description: String) -> Self {
        Self::good("machine", description)
    }

    pub(super) fn valgrind(valgrind: Valgrind) -> Self {
        let defect = |found: String| Self::defect("valgrind", Tier::Instructions, found);
        match valgrind {
            Valgrind::Found { version } => Self::good("valgrind", version),
            Valgrind::Missing => defect("not installed: `apt-get install valgrind`".to_owned()),
            Valgrind::Unusable { answer } => {
                defect(format!("`valgrind --version` answers `{}`: install it anew", answer.trim()))
            }
        }
    }

    pub(super) fn addresses(can_be_fixed: bool) -> Self {
        let found = match can_be_fixed {
            true => "can be fixed (setarch -R)",
            false => "cannot be fixed (setarch -R): counts may differ by some hundredths of a percent",
        };
        Self::good("addresses", found)
    }

    pub(super) fn governor(name: Option<&str>) -> Self {
        match name {
            Some("performance") => Self::good("governor", "performance"),
            Some(name) => Self::defect(
                "governor",
                Tier::Wall,
                format!("{name}: the clock rate changes as it runs; `cpupower frequency-set -g performance`"),
            ),
            None => Self::good("governor", "the kernel does not say: a virtual machine?"),
        }
    }

    pub(super) fn cores(cores: usize) -> Self {
        let found = match cores {
            1 => "1: the wall tier shares it with everything else".to_owned(),
            cores => cores.to_string(),
        };
        Self::good("cores", found)
    }

    /// How far the epochs of `id` differ, in which a program was compared with itself.
    pub(super) fn spread(id: &MetricId, assessment: &Assessment) -> Self {
        let Some(power) = assessment.power else {
            return Self::defect("spread", Tier::Wall, format!("`{id}` cannot be compared with itself"));
        };
        let sees = match power.detectable {
            Some(share) => format!("a slowdown of {:.1} % is seen", share * 100.0),
            None => "no slowdown is seen".to_owned(),
        };
        let found = format!(
            "`{id}` against itself: {:.2} % from epoch to epoch; in {} of them {sees}",
            power.spread * 100.0,
            assessment.epochs
        );
        match assessment.state {
            State::Pass => Self::good("spread", found),
            _ => {
                let found =
                    format!("{found}. Not told apart from a slowdown: end what else runs, look again");
                Self::defect("spread", Tier::Wall, found)
            }
        }
    }

    pub(super) fn nothing_to_time() -> Self {
        Self::good("spread", "the worker has no metric of the wall tier")
    }

    pub(super) fn stolen(busy: f64, stolen: f64) -> Self {
        let found =
            format!("{:.1} % of the time by other machines ({:.0} % busy)", stolen * 100.0, busy * 100.0);
        if stolen < STOLEN_AT_MOST {
            Self::good("stolen", found)
        } else {
            Self::defect("stolen", Tier::Wall, format!("{found}: try at another time, or another machine"))
        }
    }
}

/// A line.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.defect_of.is_some() { '!' } else { ' ' };
        writeln!(f, "{mark} {:<9}  {}", self.what, self.found)
    }
}

/// What all findings come to.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    pub(super) fn push(&mut self, finding: Finding) {
        self.0.push(finding);
    }

    /// Whether every tier can be judged.
    pub(super) fn are_good(&self) -> bool {
        self.0.iter().all(|finding| finding.defect_of.is_none())
    }

    fn defects_of(&self, tier: Tier) -> Vec<&'static str> {
        let defects = self.0.iter().filter(|finding| finding.defect_of == Some(tier));
        defects.map(|finding| finding.what).collect()
    }
}

/// A line for each tier.
impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "virtual: can be judged on any machine")?;
        for (tier, otherwise) in [
            (Tier::Instructions, "cannot be judged here: it is skipped, and `--release` fails"),
            (Tier::Wall, "may end inconclusive (exit 4) here"),
        ] {
            match self.defects_of(tier)[..] {
                [] => writeln!(f, "{tier}: can be judged here")?,
                ref defects => writeln!(f, "{tier}: {otherwise} ({})", defects.join(", "))?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use gate::wall::Power;

    use super::*;

    #[track_caller]
    fn check(finding: Finding, of: Option<Tier>, line: &str) {
        assert_eq!((finding.defect_of, finding.to_string().trim_end()), (of, line));
    }

    #[test]
    fn valgrind_is_there_or_what_to_do_is_said() {
        let version = "3.22.0".to_owned();
        check(Finding::valgrind(Valgrind::Found { version }), None, "  valgrind   3.22.0");
        let missing = "! valgrind   not installed: `apt-get install valgrind`";
        check(Finding::valgrind(Valgrind::Missing), Some(Tier::Instructions), missing);
        let unusable = Valgrind::Unusable { answer: "bad CPU\n".to_owned() };
        let line = "! valgrind   `valgrind --version` answers `bad CPU`: install it anew";
        check(Finding::valgrind(unusable), Some(Tier::Instructions), line);
    }

    #[test]
    fn a_governor_that_saves_power_is_a_defect_and_one_that_is_not_known_none() {
        assert_eq!(Finding::governor(Some("powersave")).defect_of, Some(Tier::Wall));
        assert_eq!(Finding::governor(Some("performance")).defect_of, None);
        assert_eq!(Finding::governor(None).defect_of, None);
    }

    #[test]
    fn time_that_is_stolen_is_a_defect_from_two_percent_on() {
        assert_eq!(Finding::stolen(0.9, 0.0199).defect_of, None);
        let line = "! stolen     2.0 % of the time by other machines (90 % busy): try at another time, or another machine";
        check(Finding::stolen(0.9, 0.02), Some(Tier::Wall), line);
    }

    fn assessed(state: State, power: Option<Power>) -> Finding {
        let assessment = Assessment { state, epochs: 20, effect: None, interval: None, p_value: 1.0, power };
        Finding::spread(&MetricId::new("call#wall").unwrap(), &assessment)
    }

    #[test]
    fn a_program_that_differs_from_itself_is_a_defect() {
        let power = |detectable| Some(Power { spread: 0.0354, detectable });
        let line = "  spread     `call#wall` against itself: 3.54 % from epoch to epoch; in 20 of them a slowdown of 8.9 % is seen";
        check(assessed(State::Pass, power(Some(0.089))), None, line);
        let unclear = assessed(State::Wants { epochs: 40 }, power(None));
        assert_eq!(unclear.defect_of, Some(Tier::Wall));
        assert!(
            unclear.found.contains("no slowdown is seen") && unclear.found.contains("end what else runs")
        );
        assert_eq!(assessed(State::NotComparable, None).defect_of, Some(Tier::Wall));
    }

    #[test]
    fn each_tier_is_told_with_what_keeps_it_from_being_judged() {
        let mut findings = Findings::default();
        findings.push(Finding::addresses(false));
        findings.push(Finding::cores(1));
        assert!(findings.are_good());
        assert_eq!(
            findings.to_string(),
            "virtual: can be judged on any machine\ninstructions: can be judged here\nwall: can be judged here\n"
        );
        findings.push(Finding::valgrind(Valgrind::Missing));
        findings.push(Finding::governor(Some("powersave")));
        findings.push(Finding::stolen(1.0, 0.5));
        assert!(!findings.are_good());
        assert_eq!(
            findings.to_string(),
            "virtual: can be judged on any machine\n\
             instructions: cannot be judged here: it is skipped, and `--release` fails (valgrind)\n\
             wall: may end inconclusive (exit 4) here (governor, stolen)\n"
        );
    }
}

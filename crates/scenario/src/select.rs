//! Which scenarios somebody means.

use timeline::nearest;

pub use timeline::fits_glob;

use crate::plan::Plan;

/// A name that no scenario has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no scenario `{found}`{}", nearest.as_ref().map(|name| format!(", did you mean `{name}`?")).unwrap_or_default())]
pub struct UnknownScenario {
    /// What was asked for.
    pub found: String,
    /// The scenario nearest to it, if one is near.
    pub nearest: Option<String>,
}

/// The plans that `patterns` mean, in their own order, each once; all if there is no pattern.
///
/// A pattern is the name of a scenario (`happy/host-candidates`), of a theme (`happy`), the beginning of
/// names (`happy/h`), or a glob (`*/callee-*`), in which `*` stands for any letters, `/` among them, and
/// `?` for one.
///
/// # Errors
/// The first pattern that means no scenario.
pub fn select(plans: Vec<Plan>, patterns: &[String]) -> Result<Vec<Plan>, UnknownScenario> {
    if patterns.is_empty() {
        return Ok(plans);
    }
    let mut wanted = vec![false; plans.len()];
    for pattern in patterns {
        let means = meaning(pattern, &plans);
        if means.is_empty() {
            return Err(unknown(pattern, &plans));
        }
        means.into_iter().for_each(|index| wanted[index] = true);
    }
    Ok(plans.into_iter().zip(wanted).filter_map(|(plan, wanted)| wanted.then_some(plan)).collect())
}

/// A name that is given in full means that scenario alone, though others may begin with it.
fn meaning(pattern: &str, plans: &[Plan]) -> Vec<usize> {
    let all = |fits: &dyn Fn(&str) -> bool| -> Vec<usize> {
        let fitting = plans.iter().enumerate().filter(|(_, plan)| fits(&plan.name));
        fitting.map(|(index, _)| index).collect()
    };
    let exact = all(&|name| name == pattern);
    if !exact.is_empty() {
        return exact;
    }
    if pattern.contains(['*', '?']) {
        return all(&|name| fits_glob(pattern, name));
    }
    all(&|name| !pattern.is_empty() && name.starts_with(pattern))
}

fn unknown(pattern: &str, plans: &[Plan]) -> UnknownScenario {
    let nearest = nearest(pattern, plans.iter().map(|plan| plan.name.as_str()));
    UnknownScenario { found: pattern.to_owned(), nearest: nearest.map(str::to_owned) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::plan;

    #[track_caller]
    fn check(patterns: &[&str], expect: Result<&[&str], Option<&str>>) {
        let names = ["happy/host", "happy/host-candidates", "ringing/busy", "ringing/callee-rejects"];
        let plans = names.map(|name| Plan { name: name.to_owned(), ..plan("") }).to_vec();
        let patterns: Vec<String> = patterns.iter().map(ToString::to_string).collect();
        let found = select(plans, &patterns);
        let found = found.map(|plans| plans.into_iter().map(|plan| plan.name).collect::<Vec<_>>());
        let expect = expect.map(|names| names.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(found.map_err(|error| error.nearest), expect.map_err(|name| name.map(str::to_owned)));
    }

    #[test]
    fn by_name_theme_beginning_and_glob() {
        check(&["happy/host"], Ok(&["happy/host"]));
        check(&["ringing"], Ok(&["ringing/busy", "ringing/callee-rejects"]));
        check(
            &["ringing/", "happy/host-"],
            Ok(&["happy/host-candidates", "ringing/busy", "ringing/callee-rejects"]),
        );
        check(&["*/callee-*"], Ok(&["ringing/callee-rejects"]));
        check(&["*b?sy", "ringing/busy"], Ok(&["ringing/busy"]));
        check(&["*"], Ok(&["happy/host", "happy/host-candidates", "ringing/busy", "ringing/callee-rejects"]));
    }

    #[test]
    fn unknown_names_say_what_is_near() {
        check(&["ringing/bussy"], Err(Some("ringing/busy")));
        check(&["busy"], Err(Some("ringing/busy")));
        check(&["nonsense!"], Err(None));
        check(&[""], Err(None));
    }
}

//! Which scenarios somebody means.

use timeline::nearest;

pub use timeline::fits_glob;

/// A name that no scenario has, or that does not say which.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnknownScenario {
    /// No scenario is called so.
    #[error("there is no scenario `{found}`{}", nearest.as_ref().map(|name| format!(", did you mean `{name}`?")).unwrap_or_default())]
    NoSuch {
        /// What was asked for.
        found: String,
        /// The scenario or theme nearest to it, if one is near.
        nearest: Option<String>,
    },
    /// Several are called so in their themes.
    #[error("`{found}` could be {}", names.join(" or "))]
    Several {
        /// What was asked for.
        found: String,
        /// The scenarios of this name.
        names: Vec<String>,
    },
}

/// Which of the scenarios `names` the `patterns` mean: indices in ascending order; all if there is no pattern.
///
/// A pattern is the name of a scenario (`happy/host-candidates`), of a theme (`happy`), the beginning of
/// names (`happy/h`), a glob (`*/callee-*`), in which `*` stands for any letters, `/` among them, and
/// `?` for one, or a name without its theme (`host-candidates`) where only one scenario is called so.
///
/// # Errors
/// The first pattern that means no scenario.
pub fn select(names: &[&str], patterns: &[String]) -> Result<Vec<usize>, UnknownScenario> {
    if patterns.is_empty() {
        return Ok((0..names.len()).collect());
    }
    let mut wanted = vec![false; names.len()];
    for pattern in patterns {
        meaning(pattern, names)?.into_iter().for_each(|index| wanted[index] = true);
    }
    Ok((0..names.len()).filter(|index| wanted[*index]).collect())
}

/// A name that is given in full means that scenario alone, though others may begin with it.
fn meaning(pattern: &str, names: &[&str]) -> Result<Vec<usize>, UnknownScenario> {
    let all = |fits: &dyn Fn(&str) -> bool| -> Vec<usize> {
        let fitting = names.iter().enumerate().filter(|(_, name)| fits(name));
        fitting.map(|(index, _)| index).collect()
    };
    let is_glob = pattern.contains(['*', '?']);
    let found = match all(&|name| name == pattern) {
        exact if !exact.is_empty() => exact,
        _ if is_glob => all(&|name| fits_glob(pattern, name)),
        _ => all(&|name| !pattern.is_empty() && name.starts_with(pattern)),
    };
    if !found.is_empty() {
        return Ok(found);
    }
    let of_themes = all(&|name| name.rsplit_once('/').is_some_and(|(_, last)| last == pattern));
    let found = pattern.to_owned();
    match of_themes.len() {
        0 => {
            let themes = names.iter().filter_map(|name| name.split_once('/')).map(|(theme, _)| theme);
            let nearest = nearest(pattern, names.iter().copied().chain(themes)).map(str::to_owned);
            Err(UnknownScenario::NoSuch { found, nearest })
        }
        1 => Ok(of_themes),
        _ => {
            let names = of_themes.into_iter().map(|index| names[index].to_owned()).collect();
            Err(UnknownScenario::Several { found, names })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 5] =
        ["happy/host", "happy/host-candidates", "rest/busy", "ringing/busy", "ringing/callee-rejects"];

    #[track_caller]
    fn check(patterns: &[&str], expect: &[&str]) {
        let patterns: Vec<String> = patterns.iter().map(ToString::to_string).collect();
        let found = select(&NAMES, &patterns).unwrap();
        assert_eq!(found.into_iter().map(|index| NAMES[index]).collect::<Vec<_>>(), expect);
    }

    #[track_caller]
    fn check_unknown(pattern: &str, expect: &str) {
        let error = select(&NAMES, &[pattern.to_owned()]).unwrap_err();
        assert_eq!(error.to_string(), expect);
    }

    #[test]
    fn by_name_theme_beginning_and_glob() {
        check(&[], &NAMES);
        check(&["happy/host"], &["happy/host"]);
        check(&["ringing"], &["ringing/busy", "ringing/callee-rejects"]);
        check(
            &["ringing/", "happy/host-"],
            &NAMES[1..=1].iter().chain(&NAMES[3..]).copied().collect::<Vec<_>>(),
        );
        check(&["*/callee-*"], &["ringing/callee-rejects"]);
        check(&["*b?sy", "ringing/busy"], &["rest/busy", "ringing/busy"]);
        check(&["*"], &NAMES);
    }

    #[test]
    fn a_name_without_its_theme_is_enough_where_there_is_only_one() {
        check(&["callee-rejects"], &["ringing/callee-rejects"]);
        check(&["host"], &["happy/host"]);
        check_unknown("busy", "`busy` could be rest/busy or ringing/busy");
    }

    #[test]
    fn unknown_names_say_what_is_near() {
        check_unknown("ringing/bussy", "there is no scenario `ringing/bussy`, did you mean `ringing/busy`?");
        check_unknown("rnging", "there is no scenario `rnging`, did you mean `ringing`?");
        check_unknown("nonsense!", "there is no scenario `nonsense!`");
        check_unknown("", "there is no scenario ``");
    }
}

//! The JSON Schema of scenario files, for editors: completion, documentation under the cursor, and red
//! lines under most mistakes. The rest (names that nobody has, times out of order) only the reader,
//! [`crate::format`], can know.
//!
//! The readers of [`crate::format`] describe themselves: what one asks of a document is also what it says here.
//! `scenarios/schema.json` is its text; `cargo xtask schema` writes it.

use serde_json::Value;

use crate::profile::Profiles;

/// The schema (JSON Schema draft 07, which editors' TOML plug-ins read) of files that may name these networks.
pub fn schema(profiles: &Profiles) -> Value {
    let mut schema = crate::format::describe(profiles);
    schema["title"] = "callsim scenario".into();
    schema["description"] =
        "A scripted call: who takes part, over which network, what happens when, and what must hold.".into();
    schema
}

/// The schema as `schema.json` beside scenarios holds it.
pub fn schema_text(profiles: &Profiles) -> String {
    let mut text = format!("{:#}", schema(profiles));
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const EVERY_KEY: &str = include_str!("format/every-key.toml");

    fn as_json(text: &str) -> Value {
        let table: toml::Table = toml::from_str(text).expect("a TOML document");
        serde_json::to_value(table).expect("TOML without dates is JSON")
    }

    #[track_caller]
    fn check(text: &str, valid: bool) {
        let validator = jsonschema::validator_for(&schema(&Profiles::default())).expect("a schema");
        let instance = as_json(text);
        let errors: Vec<String> = validator
            .iter_errors(&instance)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert_eq!(errors.is_empty(), valid, "{errors:#?}");
    }

    #[test]
    fn accepts_a_file_that_uses_every_key() {
        check(EVERY_KEY, true);
    }

    #[test]
    fn refuses_what_the_reader_refuses() {
        check(&EVERY_KEY.replace("version = 1", "version = 2"), false);
        check(&EVERY_KEY.replace("ring-timeout", "ring-timout"), false);
        check(&EVERY_KEY.replace("device = \"phone\"", "device = \"fridge\""), false);
        check(&EVERY_KEY.replace("\"hang-up\"", "\"hang up\""), false);
        check(&EVERY_KEY.replace("at = \"1s\"", "at = 1"), false);
        check(&EVERY_KEY.replace("{ drop = \"bye\" }", "{ drop = \"bye\", rest = \"slow\" }"), false);
        check(&EVERY_KEY.replace("{ accept-after = \"2s\" }", "{}"), false);
        check(&EVERY_KEY.replace("summary =", "sumary ="), false);
        check(&EVERY_KEY.replace("ringing = {", "rining = {"), false);
    }

    #[test]
    fn every_key_of_the_schema_occurs_in_that_file() {
        let document = as_json(EVERY_KEY);
        let mut used = std::collections::BTreeSet::new();
        keys(&document, &mut used);
        let mut known = std::collections::BTreeSet::new();
        properties(&schema(&Profiles::default()), &mut known);
        let missing: Vec<&String> = known.difference(&used).collect();
        assert!(missing.is_empty(), "not in every-key.toml: {missing:?}");
    }

    fn keys(value: &Value, into: &mut std::collections::BTreeSet<String>) {
        match value {
            Value::Object(object) => {
                into.extend(object.keys().cloned());
                object.values().for_each(|value| keys(value, into));
            }
            Value::Array(elements) => elements.iter().for_each(|value| keys(value, into)),
            _ => {}
        }
    }

    fn properties(schema: &Value, into: &mut std::collections::BTreeSet<String>) {
        match schema {
            Value::Object(object) => {
                if let Some(Value::Object(properties)) = object.get("properties") {
                    into.extend(properties.keys().cloned());
                }
                object.values().for_each(|value| properties(value, into));
            }
            Value::Array(elements) => elements.iter().for_each(|value| properties(value, into)),
            _ => {}
        }
    }

    #[test]
    fn the_committed_schema_is_current() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/schema.json");
        let committed = std::fs::read_to_string(&path).expect("scenarios/schema.json");
        assert!(
            committed == schema_text(&Profiles::default()),
            "scenarios/schema.json is out of date: run `cargo xtask schema`"
        );
    }

    #[test]
    fn every_scenario_reads_and_fits_the_schema() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
        let plans = crate::format::load_dir(&root).unwrap_or_else(|error| panic!("{error:#?}"));
        for plan in plans {
            let file = plan.file.expect("loaded from a file");
            check(&std::fs::read_to_string(file).expect("a scenario file"), true);
        }
    }
}

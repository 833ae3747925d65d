//! Closed vocabularies: the words that scenario files and reports use for one thing each.

use schemars::{Schema, json_schema};
use timeline::Word;

/// [`timeline::words!`] for an enum that the JSON Schema of scenario files may name.
macro_rules! words {
    (
        $(#[doc = $about:literal])*
        pub enum $name:ident { $( $(#[doc = $doc:literal])* $variant:ident = $word:literal, )+ }
    ) => {
        timeline::words! {
            $(#[doc = $about])*
            pub enum $name { $( $(#[doc = $doc])* $variant = $word, )+ }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                crate::words::schema::<Self>()
            }
        }
    };
}

pub(crate) use words;

/// The JSON Schema of a closed vocabulary: one of its words, each with what it means.
pub(crate) fn schema<W: Word>() -> Schema {
    let choice = |(word, doc): (&&str, &&str)| serde_json::json!({ "const": word, "description": text_of(doc), "type": "string" });
    let choices: Vec<_> = W::WORDS.iter().zip(W::DOCS).map(choice).collect();
    json_schema!({ "description": text_of(W::DOC), "oneOf": choices })
}

/// A doc comment without the space before each line.
fn text_of(doc: &str) -> String {
    doc.lines().map(str::trim).collect::<Vec<_>>().join("\n")
}

//! Dumps of rtcstats servers: applications write into them what they like.

use serde_json::Value;

/// Whether a line is about a connection, or a page's media. The others, of no connection, hold who the user is, which
/// room was joined, and who spoke; of the heading only the browser's own is kept.
pub(super) fn is_of_the_call(line: &Value) -> bool {
    match line {
        Value::Array(fields) => match fields.as_slice() {
            [name, Value::Null, ..] => {
                let name = name.as_str().unwrap_or_default();
                // Short forms of types are numbers: they are the library's own.
                name.is_empty() || name == "create" || name.starts_with("navigator.mediaDevices.")
            }
            _ => true,
        },
        Value::Object(heading) => heading.keys().all(|key| key == "fileFormat"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_applications_add_goes() {
        for kept in [
            json!({ "fileFormat": 3 }),
            json!(["create", null, {}, 1]),
            json!([39, null, {}, 1]),
            json!(["navigator.mediaDevices.getUserMedia", null, {}, 1]),
            json!(["close", "PC_0", null, 1]),
        ] {
            assert!(is_of_the_call(&kept), "{kept}");
        }
        for gone in [
            json!(["identity", null, { "confName": "our secret" }, 1]),
            json!(["dominantSpeaker", null, "bob", 1]),
            json!({ "fileFormat": 3, "url": "/room/our-secret" }),
            json!("our secret"),
        ] {
            assert!(!is_of_the_call(&gone), "{gone}");
        }
    }
}

//! From bytes to an [`Envelope`], in the order in which a fault is easiest to explain: length, UTF-8,
//! JSON, version, then field by field.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    CallId, Envelope, MAX_ID, MAX_NAME_BYTES, Message, MessageError, ParticipantId, VERSION,
    kind::{named, required_fields},
};

pub(super) fn envelope(bytes: &[u8], limit: usize) -> Result<Envelope, MessageError> {
    if bytes.len() > limit {
        return Err(MessageError::TooLarge { size: bytes.len(), limit });
    }
    let text =
        std::str::from_utf8(bytes).map_err(|error| MessageError::NotUtf8 { offset: error.valid_up_to() })?;
    let whole: Value = serde_json::from_str(text).map_err(|error| MessageError::NotJson {
        offset: byte_offset(text, error.line(), error.column()),
        reason: without_position(&error),
    })?;
    let fields = as_object(&whole, "")?;

    let version = number(fields, "version")?;
    if version != VERSION {
        return Err(MessageError::UnsupportedVersion { found: version });
    }
    let id = number(fields, "id")?;
    if !(1..=MAX_ID).contains(&id) {
        return Err(MessageError::IdOutOfRange { found: id });
    }
    Ok(Envelope {
        version,
        id,
        call: CallId::new(name(fields, "call")?),
        from: ParticipantId::new(name(fields, "from")?),
        to: ParticipantId::new(name(fields, "to")?),
        body: body(field(fields, "body", "body")?)?,
    })
}

pub(super) fn id_in(bytes: &[u8], from: &ParticipantId) -> Option<u64> {
    let whole: Value = serde_json::from_slice(bytes).ok()?;
    let is_from = whole.get("from")?.as_str()? == from.as_str();
    whole.get("id")?.as_u64().filter(|id| is_from && (1..=MAX_ID).contains(id))
}

fn body(value: &Value) -> Result<Message, MessageError> {
    let fields = as_object(value, "body")?;
    let kind = named(text(field(fields, "type", "body.type")?, "body.type")?)?;
    for &required in required_fields(kind) {
        field(fields, required, &format!("body.{required}"))?;
    }
    let message = Message::deserialize(value)
        .map_err(|error| MessageError::BadBody { kind, reason: error.to_string() })?;
    if let Message::Join { session } = &message {
        check_name(session.as_str(), "body.session")?;
    }
    Ok(message)
}

fn name<'a>(fields: &'a Map<String, Value>, key: &'static str) -> Result<&'a str, MessageError> {
    let name = text(field(fields, key, key)?, key)?;
    check_name(name, key)?;
    Ok(name)
}

fn check_name(name: &str, field: &'static str) -> Result<(), MessageError> {
    if (1..=MAX_NAME_BYTES).contains(&name.len()) {
        Ok(())
    } else {
        Err(MessageError::BadName { field, size: name.len() })
    }
}

fn number(fields: &Map<String, Value>, key: &str) -> Result<u64, MessageError> {
    let value = field(fields, key, key)?;
    value.as_u64().ok_or_else(|| wrong_type(value, key, "a whole number"))
}

fn text<'a>(value: &'a Value, path: &str) -> Result<&'a str, MessageError> {
    value.as_str().ok_or_else(|| wrong_type(value, path, "a string"))
}

fn as_object<'a>(value: &'a Value, path: &str) -> Result<&'a Map<String, Value>, MessageError> {
    value.as_object().ok_or_else(|| wrong_type(value, path, "an object"))
}

fn field<'a>(fields: &'a Map<String, Value>, key: &str, path: &str) -> Result<&'a Value, MessageError> {
    fields.get(key).ok_or_else(|| MessageError::MissingField { field: path.to_owned() })
}

fn wrong_type(value: &Value, path: &str, expected: &'static str) -> MessageError {
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "another number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    MessageError::WrongType { field: path.to_owned(), found, expected }
}

/// The JSON reader counts lines from 1 and columns in bytes from 1; 0 stands for "before the first".
fn byte_offset(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    (before + column.saturating_sub(1)).min(text.len())
}

fn without_position(error: &serde_json::Error) -> String {
    let whole = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    whole.strip_suffix(&position).unwrap_or(&whole).to_owned()
}

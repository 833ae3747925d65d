//! What the server says when it stands: where it is, and how to try it.

use std::{fmt::Write as _, net::SocketAddr};

use signaller::delivery::{MESSAGES_PATH, WEBSOCKET_PATH};

use super::{
    Arguments, Format,
    secret::{Found, Source, VARIABLE},
    token,
};

/// The call and the participants of the commands that are shown.
const CALL: &str = "demo";
const PARTICIPANTS: [&str; 2] = ["alice", "bob"];

pub(super) fn greeting(
    arguments: &Arguments,
    address: SocketAddr,
    found: Option<&Found>,
) -> anyhow::Result<String> {
    let websocket = format!("ws://{address}{WEBSOCKET_PATH}");
    let rest = format!("http://{address}{MESSAGES_PATH}");
    if arguments.format == Format::Json {
        let object = serde_json::json!({
            "schema": 1, "command": "serve", "address": address.to_string(), "websocket": websocket,
            "rest": rest, "open": found.is_none(), "secret": found.and_then(|found| found.made_up.as_ref()),
        });
        return Ok(format!("{object}\n"));
    }
    let mut text = String::new();
    writeln!(text, "The signaller listens on {address}; Ctrl-C ends it.")?;
    writeln!(text, "  WebSocket  {websocket}")?;
    writeln!(text, "  REST       {rest}")?;
    writeln!(text, "  secret     {}", secret_line(found))?;
    let [alice, bob] = PARTICIPANTS.map(|who| query(arguments, found, who));
    writeln!(text, "\nTry it, as {} and {} in the call {CALL}:", PARTICIPANTS[0], PARTICIPANTS[1])?;
    writeln!(text, "  websocat '{websocket}?{alice}'")?;
    writeln!(text, "  curl '{rest}?{bob}&wait=25'")?;
    writeln!(text, "  curl --data '{}' '{rest}?{bob}'", sample())?;
    Ok(text)
}

fn secret_line(found: Option<&Found>) -> String {
    match found {
        None => "none: everybody is admitted".to_owned(),
        Some(Found { made_up: Some(text), .. }) => {
            format!("{text} (made up for this run; {VARIABLE} or --secret-file keeps one)")
        }
        Some(Found { source: Source::File, .. }) => "from the file".to_owned(),
        Some(_) => format!("from {VARIABLE}"),
    }
}

/// Who asks. The session is one run of a client, chosen by the client.
fn query(arguments: &Arguments, found: Option<&Found>, participant: &str) -> String {
    let session = "1";
    match found {
        None => format!("participant={participant}&session={session}"),
        Some(found) => {
            let issued = token::issue(&found.secret, CALL, participant, arguments.token_lifetime);
            let token = issued.expect("these names can be used");
            format!("participant={participant}&session={session}&call={CALL}&token={token}")
        }
    }
}

/// A message from bob to alice.
fn sample() -> String {
    let [alice, bob] = PARTICIPANTS;
    format!(
        "{{\"version\":1,\"id\":1,\"call\":\"{CALL}\",\"from\":\"{bob}\",\"to\":\"{alice}\",\
         \"body\":{{\"type\":\"ring\",\"media\":{{\"audio\":true,\"video\":true}}}}}}"
    )
}

#[cfg(test)]
mod tests {
    use signaller::{Envelope, Message};

    use super::*;

    #[test]
    fn the_message_that_is_shown_is_one() {
        let envelope = Envelope::from_json(sample().as_bytes()).unwrap();
        assert!(matches!(envelope.body, Message::Ring { .. }));
    }
}

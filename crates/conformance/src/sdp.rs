//! Reading and changing session descriptions (RFC 8866), as far as rows need it.

use webrtc::peer_connection::{RTCSdpType, RTCSessionDescription};

/// The text of a description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sdp(String);

impl Sdp {
    pub(crate) fn of(description: &RTCSessionDescription) -> Self {
        Self(description.sdp.clone())
    }

    pub(crate) fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    /// As a description of a type, unread: `webrtc` reads it when it is applied.
    pub(crate) fn typed(&self, sdp_type: RTCSdpType) -> RTCSessionDescription {
        let mut description = RTCSessionDescription::default();
        description.sdp_type = sdp_type;
        description.sdp.clone_from(&self.0);
        description
    }

    /// As an offer.
    pub(crate) fn offer(&self) -> RTCSessionDescription {
        self.typed(RTCSdpType::Offer)
    }

    /// As an answer.
    pub(crate) fn answer(&self) -> RTCSessionDescription {
        self.typed(RTCSdpType::Answer)
    }

    pub(crate) fn lines(&self) -> impl Iterator<Item = &str> {
        self.0.lines().map(str::trim_end)
    }

    /// What stands behind `prefix`, in every line that has it.
    pub(crate) fn values<'a>(&'a self, prefix: &'a str) -> Vec<&'a str> {
        self.lines().filter_map(|line| line.strip_prefix(prefix)).collect()
    }

    /// What stands behind `prefix` in the first line that has it; empty where none has.
    pub(crate) fn value<'a>(&'a self, prefix: &'a str) -> &'a str {
        self.values(prefix).first().copied().unwrap_or_default()
    }

    pub(crate) fn has(&self, line: &str) -> bool {
        self.lines().any(|found| found == line)
    }

    /// The media sections, each with its `m=` line.
    pub(crate) fn sections(&self) -> Vec<Self> {
        let parts = self.0.split("\r\nm=").skip(1);
        parts.map(|part| Self(format!("m={part}\r\n"))).collect()
    }

    /// What stands before the first media section.
    pub(crate) fn session(&self) -> Self {
        Self(self.0.split("\r\nm=").next().unwrap_or_default().to_owned())
    }

    /// Without the lines that begin with `prefix`.
    pub(crate) fn without(&self, prefix: &str) -> Self {
        self.edited(|line| (!line.starts_with(prefix)).then(|| line.to_owned()))
    }

    /// With `line` in place of those that begin with `prefix`.
    pub(crate) fn with(&self, prefix: &str, line: &str) -> Self {
        self.edited(|old| Some(if old.starts_with(prefix) { line.to_owned() } else { old.to_owned() }))
    }

    /// With `line` at the end of every media section.
    pub(crate) fn with_media_line(&self, line: &str) -> Self {
        let sections = self.sections().into_iter().map(|section| {
            let section = section.0.trim_end();
            format!("{section}\r\n{line}")
        });
        let parts: Vec<String> = std::iter::once(self.session().0).chain(sections).collect();
        Self(format!("{}\r\n", parts.join("\r\n")))
    }

    fn edited(&self, edit: impl Fn(&str) -> Option<String>) -> Self {
        let lines: Vec<String> = self.lines().filter_map(edit).collect();
        Self(format!("{}\r\n", lines.join("\r\n")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "v=0\r\na=group:BUNDLE 0 1\r\nm=audio 9 X\r\na=mid:0\r\nm=video 9 X\r\na=mid:1\r\n";

    #[test]
    fn sections_and_session_are_told_apart() {
        let sdp = Sdp::from_text(TEXT);
        assert_eq!(sdp.session().text(), "v=0\r\na=group:BUNDLE 0 1");
        let mids: Vec<String> =
            sdp.sections().iter().map(|section| section.value("a=mid:").to_owned()).collect();
        assert_eq!(mids, ["0", "1"]);
        assert_eq!(sdp.values("a=mid:"), ["0", "1"]);
    }

    #[test]
    fn lines_are_removed_replaced_and_added() {
        let sdp = Sdp::from_text(TEXT);
        assert!(!sdp.without("a=mid").text().contains("a=mid"));
        assert_eq!(sdp.with("v=", "v=1").lines().next(), Some("v=1"));
        let added = sdp.with_media_line("a=x");
        assert_eq!(
            added.text(),
            TEXT.replace("a=mid:0\r\n", "a=mid:0\r\na=x\r\n").replace("a=mid:1\r\n", "a=mid:1\r\na=x\r\n")
        );
    }
}

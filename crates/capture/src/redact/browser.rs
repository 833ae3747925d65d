//! Browsers: which one, and its major version, tell what it does; the rest tells whose it is.

/// In the order in which they are looked for: most call themselves by several of these names.
const BROWSERS: &[&str] = &[
    "HeadlessChrome",
    "Edg",
    "OPR",
    "SamsungBrowser",
    "CriOS",
    "FxiOS",
    "Chromium",
    "Chrome",
    "Firefox",
    "Safari",
    "Playwright",
    "WebInspector",
    "Electron",
];

/// `Chrome/156` of `Mozilla/5.0 (X11; Linux x86_64) … Chrome/156.0.0.0 Safari/537.36`; `redacted` where no browser is named.
pub(super) fn reduced(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let found = BROWSERS.iter().find_map(|name| Some((name, text.split_once(name)?.1)));
    let Some((name, after)) = found else { return "redacted".to_owned() };
    // Safari's own version stands under `Version`.
    let after = match (*name, text.split_once("Version/")) {
        ("Safari", Some((_, version))) => version,
        _ => after.strip_prefix('/').unwrap_or(after.strip_prefix(' ').unwrap_or_default()),
    };
    match major(after).as_str() {
        "" | "redacted" => (*name).to_owned(),
        major => format!("{name}/{major}"),
    }
}

/// `156` of `156.0.7000.12`, and `1.2` as it is; `redacted` where it is no version.
pub(super) fn major(text: &str) -> String {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let is_short = text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    match digits {
        _ if is_short => text.to_owned(),
        1..=3 if !text[digits..].starts_with(|next: char| next.is_alphanumeric()) => {
            text[..digits].to_owned()
        }
        _ => "redacted".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_its_name_and_major_version() {
        for (text, expect) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.7.1 Safari/537.36",
                "Chrome/156",
            ),
            (
                "Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15",
                "Safari/26",
            ),
            ("Mozilla/5.0 (Carol's laptop; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox/145"),
            ("Chrome/156", "Chrome/156"),
            ("carol", "redacted"),
            ("", ""),
        ] {
            assert_eq!(reduced(text), expect, "{text}");
        }
        for (text, expect) in [
            ("156.0.7000.12", "156"),
            ("1.2", "1.2"),
            ("8", "8"),
            ("hunter2", "redacted"),
            ("12345.1", "redacted"),
        ] {
            assert_eq!(major(text), expect, "{text}");
        }
    }
}

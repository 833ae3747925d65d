//! Which function is responsible for a call, by a backtrace as the standard library prints it.

/// Who merely carries out what others want: executors, wrappers of sockets, and the library whose callers are
/// under test (`rtc` and what is called after it, too).
const CARRIERS: [&str; 7] = ["tokio", "tokio_util", "mio", "socket2", "nix", "libc", "webrtc"];

/// What is never responsible.
const PLATFORM: [&str; 4] = ["std", "core", "alloc", "determinism"];

/// The parts of `tokio` that poll tasks: what is further out than they is not of the task.
const POLLS: [&str; 2] = ["runtime::task::", "runtime::scheduler::"];

/// Of the functions that led to `call`, the innermost one that belongs to a program, with file and line where
/// they are known; where a task of a carrier has none, the carrier's own.
pub(super) fn responsible(backtrace: &str, call: &str) -> Option<String> {
    let callers = frames(backtrace).skip_while(|frame| frame.function != call).skip(1);
    let of_task = callers.take_while(|frame| !frame.polls_a_task());
    let named: Vec<Frame<'_>> = of_task.filter(|frame| !frame.is_platform()).collect();
    named.iter().find(|frame| !frame.is_carrier()).or(named.first()).map(Frame::render)
}

struct Frame<'a> {
    function: &'a str,
    /// File, line and column.
    place: Option<&'a str>,
}

/// A line `3: function`, and often one `at file:line:column` after it.
fn frames(backtrace: &str) -> impl Iterator<Item = Frame<'_>> {
    let mut lines = backtrace.lines().map(str::trim).peekable();
    std::iter::from_fn(move || {
        let function = lines.by_ref().find_map(|line| {
            let (number, function) = line.split_once(": ")?;
            number.parse::<u32>().is_ok().then_some(function)
        })?;
        let place = lines.peek().and_then(|line| line.strip_prefix("at "));
        Some(Frame { function, place })
    })
}

impl Frame<'_> {
    /// The package that the function is from. Where a program has line tables and no more, names have no
    /// path, and the file says it. `None` where neither does: for functions of C, and for those of the
    /// program's own workspace.
    fn package(&self) -> Option<String> {
        self.package_of_file().or_else(|| self.package_of_name().map(str::to_owned))
    }

    /// By where the toolchain and the package manager keep their sources.
    fn package_of_file(&self) -> Option<String> {
        let place = self.place?;
        if place.contains("/rustc/") || place.contains("/lib/rustlib/src/") {
            return Some("std".to_owned());
        }
        let (_, in_registry) = place.split_once("/registry/src/")?;
        let (package, _version) = in_registry.split('/').nth(1)?.rsplit_once('-')?;
        Some(package.replace('-', "_"))
    }

    /// Of a method of a trait the type's, where the type is a parameter the trait's.
    fn package_of_name(&self) -> Option<&str> {
        let (head, _) = self.path().split_once("::")?;
        let package = head.rsplit_once(" as ").map_or(head, |(_, of_trait)| of_trait);
        package.chars().all(|c| c.is_alphanumeric() || c == '_').then_some(package)
    }

    /// The function name from its first path on: without `<&mut dyn` and the like in front.
    fn path(&self) -> &str {
        let mut path = self.function;
        loop {
            let inner = path.trim_start_matches(['<', '&', '*', '(', '[', ' ']);
            match ["mut ", "const ", "dyn "].iter().find_map(|word| inner.strip_prefix(word)) {
                Some(rest) => path = rest,
                None => return inner,
            }
        }
    }

    /// Whether it is of the platform, or of nobody: functions of C have no file.
    fn is_platform(&self) -> bool {
        match self.package() {
            Some(package) => PLATFORM.contains(&package.as_str()),
            None => self.place.is_none(),
        }
    }

    fn is_carrier(&self) -> bool {
        let is_rtc = |package: &str| package == "rtc" || package.starts_with("rtc_");
        self.package().is_some_and(|package| CARRIERS.contains(&package.as_str()) || is_rtc(&package))
    }

    fn polls_a_task(&self) -> bool {
        let in_file = |part: &str| self.place.is_some_and(|place| place.contains(&part.replace("::", "/")));
        let in_name =
            |part: &str| self.path().strip_prefix("tokio::").is_some_and(|path| path.starts_with(part));
        self.package().is_some_and(|package| package == "tokio")
            && POLLS.iter().any(|part| in_name(part) || in_file(part))
    }

    fn render(&self) -> String {
        let line = self.place.and_then(|place| place.rsplit_once(':')).map(|(line, _column)| line);
        match line {
            Some(line) => format!("{} ({})", self.function, line.trim_start_matches("./")),
            None => self.function.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(backtrace: &str, expected: Option<&str>) {
        assert_eq!(responsible(backtrace, "connect").as_deref(), expected);
    }

    #[track_caller]
    fn check_package(function: &str, place: Option<&str>, expected: Option<&str>) {
        assert_eq!(Frame { function, place }.package().as_deref(), expected);
    }

    const BACKTRACE: &str = "
   0: <std::backtrace::Backtrace>::create
             at /rustc/59807616/library/std/src/backtrace.rs:331:13
   1: my_app::is_not_yet_here
   2: connect
             at ./crates/determinism/src/hooks/glibc/mod.rs:68:13
   3: connect<&str>
             at /rustc/59807616/library/std/src/net/tcp.rs:161:9
   4: my_app::signalling::dial::{{closure}}
             at ./src/signalling.rs:12:5
   5: my_app::main
             at ./src/main.rs:40:1
";

    #[test]
    fn the_innermost_function_of_the_program_is_responsible() {
        check(BACKTRACE, Some("my_app::signalling::dial::{{closure}} (src/signalling.rs:12)"));
        let without_lines = BACKTRACE.replace("             at ./src/signalling.rs:12:5\n", "");
        check(&without_lines, Some("my_app::signalling::dial::{{closure}}"));
        let without_paths = BACKTRACE.replace("my_app::signalling::dial::{{closure}}", "{closure#0}");
        check(&without_paths, Some("{closure#0} (src/signalling.rs:12)"));
    }

    #[test]
    fn a_carrier_is_responsible_for_a_task_of_its_own() {
        let driver = Some("webrtc::peer_connection::driver::run");
        let own = "
   0: connect
   1: std::net::udp::UdpSocket::connect
   2: webrtc::peer_connection::driver::run
   3: <core::pin::Pin<P> as core::future::future::Future>::poll
   4: tokio::runtime::task::core::Core<T,S>::poll
   5: my_app::main
";
        check(own, driver);
        check(
            &own.replace("tokio::runtime::task::core::Core<T,S>", "my_app::wrap"),
            Some("my_app::wrap::poll"),
        );
        let by_file = "poll<T,S>\n at /x/registry/src/i/tokio-1.54.1/src/runtime/task/core.rs:3:1";
        check(&own.replace("tokio::runtime::task::core::Core<T,S>::poll", by_file), driver);
    }

    #[test]
    fn a_program_without_symbols_has_no_names() {
        check("   0: connect\n   1: <unknown>\n   2: __libc_start_main\n", None);
        check("disabled backtrace", None);
        check("", None);
    }

    #[test]
    fn packages_are_found_in_names_and_files() {
        check_package("connect", None, None);
        check_package("{{closure}}", Some("./src/main.rs:1:1"), None);
        check_package("my_app::main", None, Some("my_app"));
        check_package("<my_app::App as core::future::future::Future>::poll", None, Some("my_app"));
        check_package(
            "<alloc::boxed::Box<F> as core::ops::function::FnOnce<A>>::call_once",
            None,
            Some("alloc"),
        );
        check_package("<F as my_app::Handler>::call", None, Some("my_app"));
        check_package("<&mut my_app::Source as core::iter::Iterator>::next", None, Some("my_app"));
        check_package("<dyn my_app::Source>::next", None, Some("my_app"));
        check_package("<(A,B) as std::net::ToSocketAddrs>::to_socket_addrs", None, Some("std"));
        let registry = "/x/.cargo/registry/src/index.crates.io-1949/tokio-util-0.7.20/src/codec/mod.rs:3:1";
        check_package("poll<T>", Some(registry), Some("tokio_util"));
        check_package("unwrap<T,E>", Some("/rustc/59807616/library/core/src/result.rs:1:1"), Some("std"));
    }
}

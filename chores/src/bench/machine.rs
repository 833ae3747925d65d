//! Where something was measured, in words.

use std::{env, fs, process::Command};

use crate::jobs;

/// `Intel Xeon, 2 cores, rustc 1.95.0, release`.
pub(super) fn in_words(quick: bool) -> String {
    let mut words = vec![processor(), format!("{} cores", jobs(None)), compiler(), "release".to_owned()];
    if quick {
        words.push("with --quick".to_owned());
    }
    words.join(", ")
}

fn processor() -> String {
    let all = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let names = all.lines().filter_map(|line| line.strip_prefix("model name"));
    let name = names.filter_map(|rest| rest.split_once(':')).map(|(_, name)| name.trim().to_owned()).next();
    name.unwrap_or_else(|| env::consts::ARCH.to_owned())
}

fn compiler() -> String {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let said = Command::new(rustc).arg("--version").output().ok();
    let said = said.and_then(|output| String::from_utf8(output.stdout).ok()).unwrap_or_default();
    said.split(' ').take(2).collect::<Vec<_>>().join(" ").trim().to_owned()
}
